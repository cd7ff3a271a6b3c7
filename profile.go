package stillcast

import (
	"encoding/base64"
	"slices"
	"strings"
)

// Profile says what counts as received and how long an event is tried by itself.
type Profile string

// The profiles.
const (
	// ProfileTencent is that of Tencent Cloud CSS: status 200 only, then retries
	// at one interval, then the delivery is parked.
	ProfileTencent Profile = "tencent"
	// ProfileStandard is that of Standard Webhooks: every 2xx, then retries at
	// growing intervals for 72 hours, then the delivery is parked.
	ProfileStandard Profile = "standard"
)

// Limits of how events are delivered.
const (
	MaxRateLimit = 10_000 // requests per second

	// Of the bytes of a signing secret (Standard Webhooks 1.0.0, "Signature scheme").
	MinSigningKey = 24
	MaxSigningKey = 64

	signingPrefix = "whsec_"
)

// SigningKey returns the bytes of a signing secret, and the error of one that is
// not "whsec_" and base64 of 24 to 64 bytes. The error does not show the secret.
func (s Secret) SigningKey() ([]byte, error) {
	encoded, ok := strings.CutPrefix(s.Reveal(), signingPrefix)
	if !ok {
		return nil, Errorf(CodeInvalid, "", "does not begin with %q; expected it and base64 of %d to %d bytes",
			signingPrefix, MinSigningKey, MaxSigningKey)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, Errorf(CodeInvalid, "", "is no base64 after %q; expected that of %d to %d bytes", signingPrefix, MinSigningKey, MaxSigningKey)
	}
	if len(key) < MinSigningKey || len(key) > MaxSigningKey {
		return nil, Errorf(CodeInvalid, "", "has %d bytes after %q; allowed are %d to %d", len(key), signingPrefix, MinSigningKey, MaxSigningKey)
	}
	return key, nil
}

// SigningSecrets returns the secrets that sign requests, the newest first.
func (t CallbackTemplate) SigningSecrets() []Secret {
	return slices.DeleteFunc([]Secret{t.SigningSecret, t.PreviousSecret}, func(s Secret) bool { return s == "" })
}

// validateDelivery reports the first field at fault of those that say how events
// are delivered.
func (t CallbackTemplate) validateDelivery() error {
	if err := validateWord("profile", t.Profile, ProfileTencent, ProfileStandard); err != nil {
		return err
	}
	for _, s := range []struct {
		field string
		value Secret
	}{{"signing_secret", t.SigningSecret}, {"previous_secret", t.PreviousSecret}} {
		if s.value == "" {
			continue
		}
		if _, err := s.value.SigningKey(); err != nil {
			return Within(s.field, err)
		}
	}
	if t.PreviousSecret != "" && t.SigningSecret == "" {
		return Errorf(CodeInvalid, "previous_secret", "is given without signing_secret; it signs beside it only")
	}
	if t.RateLimit < 0 || t.RateLimit > MaxRateLimit {
		return Errorf(CodeInvalid, "rate_limit", "is %d; allowed are 0, for no limit, to %d requests per second", t.RateLimit, MaxRateLimit)
	}
	return nil
}
