package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/stillcast/stillcast"
)

// hush takes what publishers log in with out of what is shown of a delivery to who
// is no admin. The zero hush takes out nothing.
type hush struct {
	on      bool
	secrets []string // that the event holds
}

// mask is what stands in the place of a secret.
const mask = "•••"

// leastSecret is how long a value must be, in bytes, to be looked for in texts of
// any kind: shorter ones are no secrets, and would be found everywhere.
const leastSecret = 6

// hushOf returns the one for what is shown of an event.
func hushOf(on bool, e stillcast.Event) hush {
	h := hush{on: on}
	if !on {
		return h
	}
	_, _ = rewriteStrings(e.Fields, func(s string) string {
		for _, pair := range pairsOf(s) {
			if pair.secret() && len(pair.value) >= leastSecret {
				h.secrets = append(h.secrets, pair.value)
				if plain, err := url.QueryUnescape(pair.value); err == nil && plain != pair.value {
					h.secrets = append(h.secrets, plain)
				}
			}
		}
		return s
	})
	return h
}

// text masks a text of any kind, such as a reply that repeats its request.
func (h hush) text(s string) string {
	if !h.on {
		return s
	}
	for _, secret := range h.secrets {
		s = strings.ReplaceAll(s, secret, mask)
	}
	return maskPairs(s)
}

// json masks the texts of a JSON document; the rest of it stays byte for byte.
func (h hush) json(document string) string {
	if !h.on {
		return document
	}
	shown, err := rewriteStrings([]byte(document), h.text)
	if err != nil {
		return h.text(document)
	}
	masked := string(shown)
	for _, secret := range h.secrets {
		masked = strings.ReplaceAll(masked, secret, mask)
	}
	return masked
}

// pair is NAME=VALUE of a query within a text.
type pair struct {
	name, value string
	at          int // of the value in the text
}

// secret says whether the value is what a publisher logs in with, however the name
// is written.
func (p pair) secret() bool {
	name := p.name
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return strings.EqualFold(name, "txSecret")
}

// pairsOf returns the pairs of a text that may be a query, a URL, or hold one.
func pairsOf(s string) []pair {
	var all []pair
	ends := func(r rune) bool { return strings.ContainsRune("&?;\"'<>\\,", r) || unicode.IsSpace(r) }
	for at := 0; at < len(s); {
		n := strings.IndexFunc(s[at:], ends)
		if n < 0 {
			n = len(s) - at
		}
		if name, value, ok := strings.Cut(s[at:at+n], "="); ok {
			all = append(all, pair{name: name, value: value, at: at + len(name) + 1})
		}
		at += n
		for at < len(s) {
			r := []rune(s[at:min(len(s), at+4)])[0]
			if !ends(r) {
				break
			}
			at += len(string(r))
		}
	}
	return all
}

func maskPairs(s string) string {
	var b strings.Builder
	done := 0
	for _, p := range pairsOf(s) {
		if p.secret() && p.value != "" {
			b.WriteString(s[done:p.at])
			b.WriteString(mask)
			done = p.at + len(p.value)
		}
	}
	b.WriteString(s[done:])
	return b.String()
}

// rewriteStrings returns a JSON document with change done to its texts. Those that
// stay as they are keep the way in which they are written.
func rewriteStrings(document []byte, change func(string) string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var out bytes.Buffer
	done := 0
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			break
		}
		text, ok := token.(string)
		if !ok {
			continue
		}
		changed := change(text)
		if changed == text {
			continue
		}
		quoted, err := json.Marshal(changed)
		if err != nil {
			return nil, fmt.Errorf("write a text as JSON: %w", err)
		}
		end := int(d.InputOffset())
		begin := before + bytes.IndexByte(document[before:end], '"') // only spaces, ',' and ':' come before
		out.Write(document[done:begin])
		out.Write(quoted)
		done = end
	}
	if !json.Valid(document) {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "", "is no JSON")
	}
	out.Write(document[done:])
	return out.Bytes(), nil
}

// pictures of control characters: U+2400 and on, in the order of ASCII.
const (
	controlPictures = 0x2400
	deletePicture   = 0x2421
	deleteRune      = 0x7f
)

// visible makes what others sent safe to look at: characters that are not seen, or
// that turn the text around them, are written out. Line ends and tabs stay.
func visible(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\uFFFD") {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < ' ':
			b.WriteRune(controlPictures + r)
		case r == deleteRune:
			b.WriteRune(deletePicture)
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || r >= 0xE0000 && r <= 0xE01EF || r >= 0xFE00 && r <= 0xFE0F:
			fmt.Fprintf(&b, "⟨%U⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
