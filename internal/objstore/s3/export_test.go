package s3

// For tests: Open with a way of its own to connect, and what makes answers into ours.
var (
	OpenDial = open
	NewInfo  = newInfo
	Refusal  = refusal
)
