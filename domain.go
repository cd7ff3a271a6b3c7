package stillcast

import (
	"crypto/md5" //nolint:gosec // the scheme that publishers and receivers use is MD5
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// AnyDomain is the name of the domain that takes the pushes whose host is no
// registered domain.
const AnyDomain = "*"

// MaxPlayType is the last of Tencent Cloud's kinds of places where a domain is
// played ("AddLiveDomain": 1 mainland, 2 everywhere, 3 elsewhere).
const MaxPlayType = 3

// Domain is a push domain and what a publisher needs to push to it.
type Domain struct {
	ID   int64
	Name string // host name in lower case, or AnyDomain
	Auth PushAuth

	Disabled bool      // nobody may push
	Created  time.Time // assigned by state

	// What clients of Tencent Cloud set and read back; without effect here.
	PlayType    int // 0 (not given) to MaxPlayType
	DelayLive   bool
	MiniProgram bool
}

// PushAuth is the authorisation of pushes to one domain. The zero value lets
// nobody in: it is enabled by its absence of keys, see [PushAuth.Check].
type PushAuth struct {
	Disabled  bool          // true: anybody may push
	Key       Secret        // master key
	BackupKey Secret        // valid beside Key, for rotation; "" for none
	Delta     time.Duration // added to txTime: real expiry = txTime + Delta
}

// Validate reports the first field that is not allowed.
func (d Domain) Validate() error {
	if d.Name != AnyDomain {
		if err := validateHost("name", d.Name); err != nil {
			return err
		}
	}
	if !d.Auth.Disabled && d.Auth.Key == "" {
		return Errorf(CodeInvalid, "auth.key", "is empty; give a key, or set auth.enabled: false to let anybody push")
	}
	if d.Auth.Delta < 0 {
		return Errorf(CodeInvalid, "auth.delta", "is %s; it must not be negative", d.Auth.Delta)
	}
	if d.PlayType < 0 || d.PlayType > MaxPlayType {
		return Errorf(CodeInvalid, "play_type", "is %d; allowed are 0 to %d", d.PlayType, MaxPlayType)
	}
	return nil
}

func validateHost(field, host string) error {
	if err := validateNamePart(field, host); err != nil {
		return err
	}
	for _, r := range host {
		ok := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == ':' || r == '_'
		if !ok {
			return Errorf(CodeInvalid, field, "%q holds %q; a push domain is a host name in lower case, or %q", host, r, AnyDomain)
		}
	}
	return nil
}

// TxSecret returns txSecret = md5hex(key + stream + txTime), the authorisation
// of a push URL (Tencent Cloud CSS, "hotlink protection").
func TxSecret(key Secret, stream, txTime string) string {
	return md5hex(key.Reveal() + stream + txTime)
}

func md5hex(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// PushParam returns the query of a push URL that is valid until expiry:
// "txSecret=…&txTime=…", txTime in upper-case hex as in Tencent's samples.
func PushParam(key Secret, stream string, expiry time.Time) string {
	txTime := strings.ToUpper(strconv.FormatInt(expiry.Unix(), 16))
	return "txSecret=" + TxSecret(key, stream, txTime) + "&txTime=" + txTime
}

// Check verifies the query of a push URL for the named stream at time now. It
// returns nil, or an [Error] of CodeDenied that names the part at fault:
// txTime missing or malformed, txTime expired, txSecret missing, txSecret
// wrong. The comparison takes constant time.
func (a PushAuth) Check(stream, param string, now time.Time) error {
	if a.Disabled {
		return nil
	}
	txSecret, txTime := queryValue(param, "txSecret"), queryValue(param, "txTime")
	switch {
	case txTime == "":
		return Errorf(CodeDenied, "txTime", "is missing from the push URL; expected ?txSecret=…&txTime=…")
	case txSecret == "":
		return Errorf(CodeDenied, "txSecret", "is missing from the push URL; expected ?txSecret=…&txTime=…")
	}
	expiry, err := strconv.ParseInt(txTime, 16, 64)
	if err != nil {
		return Errorf(CodeDenied, "txTime", "%q is not a Unix time in hexadecimal", txTime)
	}
	if !a.matches(stream, txTime, txSecret) {
		return Errorf(CodeDenied, "txSecret", "is wrong for this stream; it must be md5hex(key + stream + txTime)")
	}
	// The secret is checked first, so that only the key's owner learns about time.
	if end := time.Unix(expiry, 0).Add(a.Delta); !now.Before(end) {
		return Errorf(CodeDenied, "txTime", "expired at %s", end.UTC().Format(time.RFC3339))
	}
	return nil
}

func (a PushAuth) matches(stream, txTime, txSecret string) bool {
	given := []byte(strings.ToLower(txSecret))
	ok := 0
	for _, key := range []Secret{a.Key, a.BackupKey} {
		if key == "" {
			continue
		}
		ok |= subtle.ConstantTimeCompare(given, []byte(TxSecret(key, stream, txTime)))
	}
	return ok == 1
}

// queryValue finds name in a raw query without failing on malformed pairs
// elsewhere in it, as publishers send them.
func queryValue(raw, name string) string {
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != name {
			continue
		}
		if v, err := url.QueryUnescape(value); err == nil {
			return v
		}
		return value
	}
	return ""
}
