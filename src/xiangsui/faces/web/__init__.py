"""The site: addresses, home page, jobs, language. It only assembles what rooms register."""
