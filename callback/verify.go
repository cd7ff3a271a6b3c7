package callback

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of t, the time at which a signature expires.
const (
	// DefaultSkew is how long after t an event is still taken, for clocks that
	// do not agree.
	DefaultSkew = 30 * time.Second
	// MaxAhead is how far t may be ahead. Senders set it ten minutes ahead; a
	// signature that never expired would be a password in the clear.
	MaxAhead = 24 * time.Hour
)

// Errors of [Verify]. A body that is no event at all gives [ErrMalformed], one
// without the headers that it should have [ErrDowngraded].
var (
	ErrNotSigned    = errors.New("event is not signed")
	ErrBadSignature = errors.New("bad signature")
	ErrExpired      = errors.New("signature expired")
	ErrTooFarAhead  = errors.New("signature expires too far in the future")
	// ErrNoKey says that the receiver has no key. An empty key is none: anybody
	// can sign with it.
	ErrNoKey = errors.New("no key to verify with")
)

// Sign returns the sign of an event whose signature expires at t, in Unix
// seconds: the lower-case hex of MD5(key + decimal t) (Tencent Cloud CSS,
// "Common callback parameters").
func Sign(key string, t int64) string {
	sum := md5.Sum([]byte(key + strconv.FormatInt(t, 10)))
	return hex.EncodeToString(sum[:])
}

// Verify checks that the event in body was signed with key and has not expired
// at now. See [Verifier] for more than one key.
func Verify(body []byte, key string, now time.Time) error {
	return Verifier{Keys: []string{key}}.Verify(body, now)
}

// Verifier checks signatures. Its zero value refuses everything. It is safe for
// concurrent use.
type Verifier struct {
	// Secrets are the signing secrets that are taken, as in the callback template:
	// usually one, two while one replaces the other. Empty ones do not count. With
	// any, an event must have the headers of Standard Webhooks, which sign its
	// body; Keys are then not looked at.
	Secrets []string
	// Tolerance is how far the time of those headers may be from now, either way;
	// 0 means DefaultTolerance, a negative value none.
	Tolerance time.Duration
	// AllowDowngrade takes events that have none of those headers by their sign,
	// although there are Secrets: for the time in which a template gets its first
	// secret, or behind a gateway that drops headers.
	AllowDowngrade bool

	// Keys are the keys that are taken, usually one, two while a key is being
	// changed. Empty ones do not count.
	Keys []string
	// Skew is how long after t an event is still taken; 0 means DefaultSkew, a
	// negative value none.
	Skew time.Duration
}

// Verify checks that the event in body was signed with one of the keys and has
// not expired at now. The error wraps [ErrNotSigned], [ErrBadSignature],
// [ErrExpired], [ErrTooFarAhead], [ErrNoKey] or [ErrMalformed]. How long it
// takes does not depend on the keys. With Secrets it refuses what AllowDowngrade
// does not allow: see [Verifier.VerifyRequest].
func (v Verifier) Verify(body []byte, now time.Time) error {
	return v.VerifyRequest(nil, body, now)
}

// VerifyRequest checks the event in body with the headers that came with it. With
// Secrets, headers of Standard Webhooks must be right for the body; where they are
// not there at all the error wraps [ErrDowngraded], unless AllowDowngrade. Then,
// and without Secrets, it does what [Verifier.Verify] does. Errors are as there.
func (v Verifier) VerifyRequest(header http.Header, body []byte, now time.Time) error {
	members, err := parseObject(body)
	if err != nil {
		return err
	}
	_, err = v.verifyRequest(header, body, members, now)
	return err
}

// verifyRequest also returns the webhook-id, if the event was verified by it.
func (v Verifier) verifyRequest(header http.Header, body []byte, members object, now time.Time) (id string, err error) {
	secrets := slices.DeleteFunc(slices.Clone(v.Secrets), func(s string) bool { return s == "" })
	if len(secrets) == 0 {
		return "", v.verify(members, now)
	}
	if !hasWebhook(header) {
		if v.AllowDowngrade {
			return "", v.verify(members, now)
		}
		return "", fmt.Errorf("%w: webhook-id, webhook-timestamp and webhook-signature are missing", ErrDowngraded)
	}
	w, err := parseWebhook(header)
	if err != nil {
		return "", err
	}
	if err := w.verify(secrets, body); err != nil {
		return "", err
	}
	return w.id, w.checkTime(now, orDefault(v.Tolerance, DefaultTolerance))
}

// orDefault returns d; the default for 0, nothing for less.
func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return max(0, d)
}

func (v Verifier) verify(members object, now time.Time) error {
	t, ok, err := members.integer("t")
	if err != nil {
		return err
	}
	sign, err := members.text("sign")
	switch {
	case err != nil:
		return err
	case sign == "":
		return fmt.Errorf("%w: sign is missing", ErrNotSigned)
	case !ok:
		return fmt.Errorf("%w: t is missing", ErrNotSigned)
	}
	if err := v.match(sign, t); err != nil {
		return err
	}
	// The signature is checked first, so that only who knows the key learns
	// anything about this clock.
	return v.checkTime(t, now)
}

func (v Verifier) match(sign string, t int64) error {
	given := []byte(strings.ToLower(sign))
	keys, matches := 0, 0
	for _, key := range v.Keys {
		if key == "" {
			continue
		}
		keys++
		matches |= subtle.ConstantTimeCompare(given, []byte(Sign(key, t)))
	}
	switch {
	case keys == 0:
		return ErrNoKey
	case matches == 0:
		return fmt.Errorf("%w: sign must be md5hex(key + t)", ErrBadSignature)
	}
	return nil
}

func (v Verifier) checkTime(t int64, now time.Time) error {
	skew := int64(orDefault(v.Skew, DefaultSkew) / time.Second)
	ahead := int64(MaxAhead / time.Second)
	switch unix := now.Unix(); {
	case t < unix-skew:
		return fmt.Errorf("%w: t is %d, now is %d", ErrExpired, t, unix)
	case t > unix+ahead:
		return fmt.Errorf("%w: t is %d, now is %d; at most %d seconds ahead are allowed", ErrTooFarAhead, t, unix, ahead)
	}
	return nil
}
