package stillcast

import (
	"crypto/rand"
	"fmt"
	"log/slog"
)

// Secret is a key or password. It prints, logs and marshals as "<secret>" (or
// as "" when it is empty), so that it cannot reach a log by accident; Reveal
// gives the value. Keep it in exported fields or apart: fmt does not ask the
// unexported fields of a struct how they want to be printed.
type Secret string

const hidden = "<secret>"

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String implements [fmt.Stringer].
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format implements [fmt.Formatter], because String is not asked for verbs
// such as %d, which would print the value.
func (s Secret) Format(f fmt.State, verb rune) {
	fmt.Fprintf(f, fmt.FormatString(f, verb), s.String())
}

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements [encoding.TextMarshaler], so that JSON and YAML hide
// the value too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// NewSecret makes a random key of 32 letters and digits, which no one can guess.
func NewSecret() Secret { return Secret(rand.Text() + rand.Text()[:6]) }
