package console

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mask is what stands in the place of a secret.
const mask = "•••"

// leastSecret is how long a value must be, in bytes, to be looked for in texts of
// any kind: shorter ones are no secrets, and would be found everywhere.
const leastSecret = 6

// span is a part of a text: its bytes from the first to before the last.
type span struct{ from, to int }

// maskQuery masks the values of the parameters in a query whose names are secret,
// and where else in it these values stand. The rest stays byte for byte.
func maskQuery(query string, secret func(name string) bool) string {
	return maskSpans(query, querySpans(query, secret), nil)
}

// maskText does so for the pairs NAME=VALUE in a text of any kind, which may be or
// hold a URL, and masks values that are known to be secret, too.
func maskText(text string, secret func(name string) bool, known []string) string {
	return maskSpans(text, textSpans(text, secret, betweenPairs), known)
}

// maskSpans masks parts of a text, what stands in them wherever else it does, and
// the values that are known.
func maskSpans(text string, spans []span, known []string) string {
	values := slices.Clone(known)
	for _, s := range spans {
		values = append(values, spellings(text[s.from:s.to])...)
	}
	// The longest first: a shorter one may be a part of it.
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	var pairs []string
	for _, value := range slices.Compact(values) {
		if len(value) >= leastSecret {
			pairs = append(pairs, value, mask)
		}
	}
	rest := strings.NewReplacer(pairs...)
	var b strings.Builder
	done := 0
	for _, s := range spans {
		b.WriteString(rest.Replace(text[done:s.from]))
		b.WriteString(mask)
		done = s.to
	}
	b.WriteString(rest.Replace(text[done:]))
	return b.String()
}

// spellings are the ways in which the value of a parameter may be written.
func spellings(value string) []string {
	all := []string{value}
	if plain, err := url.QueryUnescape(value); err == nil && plain != value {
		all = append(all, plain)
	}
	return all
}

// querySpans returns where the secret values of a query are. Only "&" ends a
// value, as servers read a query; a pair within a value that is not secret is
// looked at as in any text.
func querySpans(query string, secret func(string) bool) []span {
	var all []span
	at := 0
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case value != "" && secret(plainName(name)):
			all = append(all, span{at + len(part) - len(value), at + len(part)})
		default:
			for _, s := range textSpans(part, secret, func(rune) bool { return false }) {
				all = append(all, span{at + s.from, at + s.to})
			}
		}
		at += len(part) + 1
	}
	return all
}

// betweenPairs says whether a character ends a pair in a text of any kind.
func betweenPairs(r rune) bool {
	return strings.ContainsRune("&?;\"'<>\\,", r) || unicode.IsSpace(r)
}

// textSpans returns where the values of secret pairs are in a text. A value goes
// on to the first character for which ends is true.
func textSpans(text string, secret func(string) bool, ends func(rune) bool) []span {
	var all []span
	name := 0 // where it begins
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '=' && secret(plainName(text[name:i])):
			from := i + size
			to := len(text)
			if n := strings.IndexFunc(text[from:], ends); n >= 0 {
				to = from + n
			}
			if to > from {
				all = append(all, span{from, to})
			}
			name, i = to, to
			continue
		case r == '=' || betweenPairs(r):
			name = i + size
		}
		i += size
	}
	return all
}

// plainName is the name of a parameter in lower case, however it is written. What
// is encoded again and again is decoded as often as anybody could.
func plainName(name string) string {
	const often = 3
	for range often {
		plain := decoded(name)
		if plain == name {
			break
		}
		name = plain
	}
	return strings.ToLower(name)
}

// decoded is [url.QueryUnescape] that leaves alone what is no escape.
func decoded(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		const escape = len("%00")
		if s[i] == '%' && i+escape <= len(s) {
			if plain, err := url.QueryUnescape(s[i : i+escape]); err == nil {
				b.WriteString(plain)
				i += escape - 1
				continue
			}
		}
		if s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// credential says whether the name of a parameter, member or header, as plainName
// returns it, is one of a value that somebody logs in or signs with.
func credential(name string) bool {
	name = strings.TrimSpace(name)
	for _, end := range []string{"secret", "token", "password", "passwd", "key", "sign", "signature", "authorization", "cookie"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// bareURL is a URL without what may be secret in it: user, password and query.
func bareURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return mask
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	text = bare.String()
	if u.RawQuery != "" {
		text += "?" + mask
	}
	return text
}

// pushSecret says whether the value of a parameter in a push URL is not for
// viewers: publishers log in by others than txSecret, too, which receivers check.
func pushSecret(name string) bool { return name != "txtime" && name != "vhost" }
