package objstore

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxMetadata is how many bytes the keys and values of an object's metadata may
// have together, as in S3 (Amazon S3 user guide, "Working with object metadata")
// and COS.
const MaxMetadata = 2048

// ValidateMetadata returns an error that wraps [ErrName] unless the keys consist
// of lower-case letters, digits and "-", the values are printable ASCII without
// a space at either end, none is empty, and all are within [MaxMetadata]. That
// is what goes through HTTP headers and comes back the same.
func ValidateMetadata(metadata map[string]string) error {
	size := 0
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if key == "" || value == "" {
			return fmt.Errorf("%w: its metadata %q: %q is empty on one side", ErrName, key, value)
		}
		for _, r := range key {
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
				return fmt.Errorf("%w: the key %q of its metadata holds %q; allowed are lower-case letters, digits and '-'", ErrName, key, r)
			}
		}
		for _, r := range value {
			if r < ' ' || r > '~' {
				return fmt.Errorf("%w: its metadata %s holds %q; allowed is printable ASCII", ErrName, key, r)
			}
		}
		if strings.TrimSpace(value) != value {
			return fmt.Errorf("%w: its metadata %s is %q, with a space at an end", ErrName, key, value)
		}
		size += len(key) + len(value)
	}
	if size > MaxMetadata {
		return fmt.Errorf("%w: its metadata has %d bytes; at most %d are allowed", ErrName, size, MaxMetadata)
	}
	return nil
}
