//go:build !asan

package codec

// addressSanitizer is whether this test runs under it, where workers have no sandbox.
const addressSanitizer = false
