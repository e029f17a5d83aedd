"""What an answer is measured by: `catalogue` says what each number means, the other files compute them."""
