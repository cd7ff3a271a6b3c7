// Package objstore is the contract of the object stores that keep the pictures.
//
// Implementations live in sub-packages named after the technology and pass the
// one suite in objstoretest; consumers declare the few methods they call. Every
// implementation is safe for concurrent use, honours its context's deadline,
// makes one try per call (who calls decides about the next one), and never
// shows a half-written object to a reader.
//
// The methods, and what each promises:
//
//	Put(ctx, Object) error                           replaces what is under the key; once it
//	                                                 returns nil the object is durable and readable.
//	                                                 After an error the old or the new object is there,
//	                                                 whole, and Put may be called again
//	Head(ctx, bucket, key) (Info, error)             ErrNotFound when there is none
//	Get(ctx, bucket, key) (io.ReadCloser, Info, error)  the caller closes; the reader stays on the
//	                                                 object it opened, also when that is replaced
//	Delete(ctx, bucket, key) error                   nil also when there was none
//	PublicURL(bucket, region, key string) (string, error)  the store's own form of a picture's URL, for whom
//	                                                 the bucket lets read. No input or output; it does not
//	                                                 ask whether the object exists. Region "" is the store's
//	Presign(ctx, bucket, key, lifetime) (string, error)  a URL that lets anybody GET that object, and nothing
//	                                                 else, from now for lifetime (one second to seven days).
//	                                                 At most a request for credentials is made; whether the
//	                                                 object exists is not asked
//
// Stores across a network have a third, which is asked at start and for readiness:
//
//	Check(ctx) error                                 one cheap authorised request: nil when the configured
//	                                                 bucket exists and the credentials are good for it
//
// and a store whose buckets lie in several regions (cos) has one more, because
// Head, Get, Delete and Presign are not told the region:
//
//	In(region string) *Store                         the same store, with that region as its own
//
// Bucket "" is the store's own. That a bucket does not exist is not
// [ErrNotFound] but [ErrUnavailable], with the bucket's name: an operator can
// make it, so nothing that waits for it is given up.
//
// A context that is done before the work was is reported as the context's own
// error, wrapped; none of the errors below then applies.
package objstore

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Object is a picture to be stored.
type Object struct {
	Bucket       string // "NAME-APPID"; "" for the store's own
	Region       string // of the bucket, "" for the store's own; s3 and file have one region and ignore it
	Key          string // without leading slash, see [ValidateKey]
	Body         []byte // read only until Put returns
	ContentType  string // as in HTTP
	CacheControl string // as in HTTP; "" leaves it to the store
	// Metadata goes with the object, see [ValidateMetadata]; nil for none. A store
	// that cannot keep it says so in its documentation and drops it.
	Metadata map[string]string
}

// Validate returns an error that wraps [ErrName] unless bucket, key and
// metadata are allowed. Every implementation refuses other objects.
func (o Object) Validate() error {
	if err := ValidateBucket(o.Bucket); err != nil {
		return err
	}
	if err := ValidateKey(o.Key); err != nil {
		return err
	}
	return ValidateMetadata(o.Metadata)
}

// Info describes a stored object.
type Info struct {
	Size         int64 // in bytes
	ContentType  string
	CacheControl string // "" for none
	ETag         string // quoted and strong, as in HTTP (RFC 9110, section 8.8.3)
	Modified     time.Time
	Metadata     map[string]string // as put; nil for none
}

// Errors that every implementation returns, wrapped with what was attempted.
var (
	ErrNotFound    = errors.New("object not found")
	ErrDenied      = errors.New("access to the object store denied")
	ErrThrottled   = errors.New("object store asks to slow down")
	ErrUnavailable = errors.New("object store unavailable")
	// ErrName says that the store can never keep or hold such an object: its
	// bucket, key, metadata or size are at fault. Trying again is of no use.
	ErrName = errors.New("object not allowed")
)

// Limits of keys.
const (
	MaxKey     = 1024 // bytes, as in S3 (Amazon S3 user guide, "Naming objects")
	MaxSegment = 255  // bytes between two slashes, as in the file systems of Linux
	maxBucket  = 255
)

// ValidateKey returns an error that wraps [ErrName] unless key is a relative
// path in UTF-8 whose parts are neither empty nor "." nor "..", within the
// limits. Every implementation refuses other keys in every method.
func ValidateKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: the key is empty", ErrName)
	case len(key) > MaxKey:
		return fmt.Errorf("%w: the key is %d bytes long; at most %d are allowed", ErrName, len(key), MaxKey)
	case !utf8.ValidString(key):
		return fmt.Errorf("%w: the key %q is not valid UTF-8", ErrName, key)
	case strings.ContainsRune(key, 0):
		return fmt.Errorf("%w: the key %q holds a NUL byte", ErrName, key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fmt.Errorf("%w: the key %q holds the path part %q", ErrName, key, segment)
		case len(segment) > MaxSegment:
			return fmt.Errorf("%w: the key holds a path part of %d bytes; at most %d are allowed",
				ErrName, len(segment), MaxSegment)
		}
	}
	return nil
}

// ValidateBucket returns an error that wraps [ErrName] unless bucket is empty
// or consists of lower-case letters, digits, "-" and ".", the first no ".".
func ValidateBucket(bucket string) error {
	if len(bucket) > maxBucket {
		return fmt.Errorf("%w: the bucket's name is %d bytes long; at most %d are allowed", ErrName, len(bucket), maxBucket)
	}
	for i, r := range bucket {
		ok := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' && i > 0
		if !ok {
			return fmt.Errorf("%w: the bucket's name %q holds %q; allowed are lower-case letters, digits, '-' and '.'",
				ErrName, bucket, r)
		}
	}
	return nil
}
