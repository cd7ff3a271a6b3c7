package tcsign

import (
	"crypto/subtle"
	"fmt"
	"hash/maphash"
	"strconv"
	"sync"
	"time"
)

// MaxSkew is how far the clock of a client may be from ours ("Signature v3": five
// minutes).
const MaxSkew = 5 * time.Minute

// again is how long one signature may come again. A client that repeats a call in the same second makes the same
// signature, and one that got no answer sends it once more; what comes later was copied.
const again = 10 * time.Second

// Error is a refusal, with the code of Tencent Cloud's API.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The codes.
const (
	CodeMissing   = "MissingParameter"
	CodeInvalid   = "InvalidParameter"
	CodeFailure   = "AuthFailure.SignatureFailure"
	CodeExpired   = "AuthFailure.SignatureExpire"
	CodeUnknownID = "AuthFailure.SecretIdNotFound"
	CodeTooOften  = "RequestLimitExceeded"
)

func refuse(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Verifier verifies requests. It is safe for concurrent use.
type Verifier struct {
	secret func(id string) (key string, ok bool)
	now    func() time.Time

	mu   sync.Mutex
	seen map[uint64]sighting // by hash
	seed maphash.Seed
	next time.Time // when seen is looked through again
}

// maxSeen bounds what is remembered: 100 MB, for 7,000 calls a second.
const maxSeen = 2 << 20

// sighting is of one signature, in Unix seconds.
type sighting struct{ first, forget int64 }

// New returns a Verifier for the credentials that secret knows.
func New(secret func(id string) (key string, ok bool)) *Verifier {
	return &Verifier{secret: secret, now: time.Now, seen: map[uint64]sighting{}, seed: maphash.MakeSeed()}
}

// Verify returns the id of the credential that the request is signed with. Its
// errors are of type [*Error].
func (v *Verifier) Verify(r *Request) (id string, err error) {
	var s signature
	if header := r.Header.Get("Authorization"); header != "" {
		s, err = parseTC3(r, header)
	} else {
		s, err = parseV1(r)
	}
	if err != nil {
		return "", err
	}
	now := v.now()
	if err := s.fresh(now); err != nil {
		return "", err
	}
	key, known := v.secret(s.id)
	// An unknown id costs as much time as a known one.
	if !s.matches(r, key) || !known {
		if !known {
			return "", refuse(CodeUnknownID, "the SecretId %q is unknown", clip(s.id))
		}
		return "", refuse(CodeFailure, "the signature does not match; check the SecretKey, the host and the signed headers")
	}
	return s.id, v.once(s, now)
}

// signature is a signature taken from a request.
type signature struct {
	id         string
	timestamp  time.Time
	value      string // as it stands in the request
	candidates func(r *Request, key string) []string
}

// matches compares the signature with each that a known client would make, in constant time.
func (s *signature) matches(r *Request, key string) bool {
	match := 0
	for _, want := range s.candidates(r, key) {
		match |= subtle.ConstantTimeCompare([]byte(s.value), []byte(want))
	}
	return match == 1
}

func (s *signature) fresh(now time.Time) error {
	if off := now.Sub(s.timestamp).Abs(); off > MaxSkew {
		return refuse(CodeExpired, "the timestamp %d is %s from this server's time, %d; at most %s are allowed",
			s.timestamp.Unix(), off.Truncate(time.Second), now.Unix(), MaxSkew)
	}
	return nil
}

// once refuses a signature that comes again when no client would send it any more.
func (v *Verifier) once(s signature, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !now.Before(v.next) {
		v.next = now.Add(MaxSkew / 4)
		for name, old := range v.seen {
			if now.Unix() > old.forget {
				delete(v.seen, name)
			}
		}
	}
	key := maphash.String(v.seed, s.value)
	old, ok := v.seen[key]
	if !ok {
		if len(v.seen) >= maxSeen {
			return refuse(CodeTooOften, "more than %d calls came within %s", maxSeen, MaxSkew)
		}
		v.seen[key] = sighting{first: now.Unix(), forget: s.timestamp.Add(MaxSkew).Unix()}
		return nil
	}
	if ago := time.Duration(now.Unix()-old.first) * time.Second; ago > again {
		return refuse(CodeFailure, "this signed request was received before, %s ago; sign it anew", ago)
	}
	return nil
}

func parseTimestamp(name, text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text == "":
		return time.Time{}, refuse(CodeMissing, "%s is missing", name)
	case err != nil || seconds < 0 || seconds > 1<<40:
		return time.Time{}, refuse(CodeInvalid, "%s is %q; allowed is a Unix time in seconds", name, clip(text))
	}
	return time.Unix(seconds, 0), nil
}

// clip keeps messages short.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
