"""What finite worlds can be asked exactly: no sampling, no automatic differentiation."""
