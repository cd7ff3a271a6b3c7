//go:build asan

package codec

const addressSanitizer = true
