"""What is measured with ppvd: the demo, protocols and speed."""
