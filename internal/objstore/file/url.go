package file

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// signatureSize is the length of a signature in bytes: 128 bits, as much as can
// be guessed by nobody, in 22 characters.
const signatureSize = 16

// urls makes and checks the URLs of pictures.
type urls struct {
	base     string // without slash at the end
	key      []byte // nil: URLs are not signed
	lifetime time.Duration
}

func newURLs(o Options, key []byte) (urls, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return urls{}, stillcast.Errorf(stillcast.CodeInvalid, "public_url",
			"%q is no base of picture URLs; expected http(s)://HOST[:PORT]", o.PublicURL)
	}
	if !o.Config.SignedURLs {
		key = nil
	}
	return urls{base: strings.TrimRight(o.PublicURL, "/"), key: key, lifetime: o.Config.URLLifetime}, nil
}

// URL returns where the picture of a shot can be downloaded:
// PUBLIC_URL/pictures/BUCKET/KEY, with "_" for the bucket "". Unless
// [Config.SignedURLs] is off, it ends in "?expires=UNIX&signature=…" and is
// valid for [Config.URLLifetime] from now. It does no input or output, and does
// not ask whether the picture exists.
func (s *Store) URL(shot stillcast.Shot, now time.Time) (string, error) {
	if _, err := objectPath(shot.Bucket, shot.Key); err != nil {
		return "", err
	}
	return s.urls.make(shot.Bucket, shot.Key, now.Add(s.urls.lifetime)), nil
}

// PublicURL is [Store.URL] from now. A folder has no region.
func (s *Store) PublicURL(bucket, _, key string) (string, error) {
	return s.URL(stillcast.Shot{Bucket: bucket, Key: key}, time.Now())
}

// Presign is [Store.URL] with a lifetime of its own: whole seconds, from
// [objstore.MinLifetime] to [objstore.MaxLifetime]. Where [Config.SignedURLs] is
// off, the URL is valid for ever, as all are.
func (s *Store) Presign(_ context.Context, bucket, key string, lifetime time.Duration) (string, error) {
	if _, err := objectPath(bucket, key); err != nil {
		return "", err
	}
	if err := objstore.ValidateLifetime(lifetime); err != nil {
		return "", err
	}
	return s.urls.make(bucket, key, time.Now().Add(lifetime)), nil
}

func (u urls) make(bucket, key string, end time.Time) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	location := u.base + "/" + path.Join("pictures", bucketFolder(bucket)) + "/" + strings.Join(segments, "/")
	if u.key == nil {
		return location
	}
	expires := end.Unix()
	return location + "?expires=" + strconv.FormatInt(expires, 10) + "&signature=" + u.sign(bucket, key, expires)
}

// sign covers all that the URL says. Key may hold any character, yet no two
// triples give one text: buckets hold no line break, and what follows the last
// one are digits.
func (u urls) sign(bucket, key string, expires int64) string {
	mac := hmac.New(sha256.New, u.key)
	mac.Write([]byte("stillcast picture\n" + bucket + "\n" + key + "\n" + strconv.FormatInt(expires, 10)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:signatureSize])
}

// Resolve returns the bucket and key that the path BUCKET/KEY of a picture's
// URL stands for, after checking the URL's query at time now. The error is an
// [stillcast.Error] of CodeDenied that names the parameter at fault, or wraps
// [objstore.ErrNotFound] when the path can be no picture's. The signature is
// compared in constant time.
func (s *Store) Resolve(location string, query url.Values, now time.Time) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(location, "/")
	switch bucket {
	case "":
		return "", "", fmt.Errorf("%w: the path has no bucket", objstore.ErrNotFound)
	case ownBucket:
		bucket = ""
	}
	if err := s.urls.check(bucket, key, query, now); err != nil {
		return "", "", err
	}
	if _, err := objectPath(bucket, key); err != nil {
		return "", "", fmt.Errorf("%w: %w", objstore.ErrNotFound, err)
	}
	return bucket, key, nil
}

func (u urls) check(bucket, key string, query url.Values, now time.Time) error {
	if u.key == nil {
		return nil
	}
	given, expiry := query.Get("signature"), query.Get("expires")
	switch {
	case given == "":
		return stillcast.Errorf(stillcast.CodeDenied, "signature", "is missing; use the whole URL of the event")
	case expiry == "":
		return stillcast.Errorf(stillcast.CodeDenied, "expires", "is missing; use the whole URL of the event")
	}
	expires, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil {
		return stillcast.Errorf(stillcast.CodeDenied, "expires", "%.40q is no Unix time", expiry)
	}
	if !hmac.Equal([]byte(given), []byte(u.sign(bucket, key, expires))) {
		return stillcast.Errorf(stillcast.CodeDenied, "signature", "is wrong for this path and expiry")
	}
	if end := time.Unix(expires, 0); !now.Before(end) {
		return stillcast.Errorf(stillcast.CodeDenied, "expires", "has passed: the URL expired at %s", end.UTC().Format(time.RFC3339))
	}
	return nil
}
