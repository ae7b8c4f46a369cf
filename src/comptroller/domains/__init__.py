"""One folder a domain; domains do not import each other, they meet in the spine."""
