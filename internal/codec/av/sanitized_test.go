//go:build asan

package av_test

// The address sanitizer has memory of its own, and keeps what was freed.
const sanitized = true
