//go:build !asan

package av_test

// sanitized tells whether the address sanitizer runs.
const sanitized = false
