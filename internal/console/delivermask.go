package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

// hush takes what publishers and servers log in and sign with out of what is shown
// to who is no admin. The zero hush takes out nothing.
type hush struct {
	on    bool
	names map[string]bool // of the parameters with which the publisher logged in, as plainName returns them
	known []string        // values that are secret
}

// hush returns the one for the viewer, which knows the secrets of the rules.
func (v *view) hush() hush {
	h := hush{on: v.session.Role != RoleAdmin}
	if h.on {
		h.known = secretsOf(v.opts.Streams.Resources())
	}
	return h
}

// secretsOf are the keys of domains and callback templates, and what the URLs of
// callbacks hold that their receivers know the sender by.
func secretsOf(r *stillcast.Resources) []string {
	var all []string
	for _, d := range r.Domains() {
		all = append(all, d.Auth.Key.Reveal(), d.Auth.BackupKey.Reveal())
	}
	for _, t := range r.CallbackTemplates() {
		all = append(all, t.Key.Reveal(), t.SigningSecret.Reveal(), t.PreviousSecret.Reveal())
		for _, e := range streamEvents() {
			all = append(all, urlSecrets(t.URL(e))...)
		}
	}
	return all
}

// urlSecrets are the password of a URL, and the values of its query that are so
// called, or so long, that they may be secret.
func urlSecrets(text string) []string {
	const long = 16
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	var all []string
	if password, ok := u.User.Password(); ok {
		basic := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		all = append(all, password, url.QueryEscape(password), basic)
	}
	for _, s := range querySpans(u.RawQuery, func(string) bool { return true }) {
		value := u.RawQuery[s.from:s.to]
		name := u.RawQuery[strings.LastIndexByte(u.RawQuery[:s.from], '&')+1 : s.from-1]
		if len(value) >= long || credential(plainName(name)) {
			all = append(all, spellings(value)...)
		}
	}
	return all
}

// of returns the one for what is shown of an event.
func (h hush) of(e stillcast.Event) hush {
	if !h.on {
		return h
	}
	var fields struct {
		Param string `json:"stream_param"`
	}
	// One that cannot be read has no such parameters, and is masked as any text.
	_ = json.Unmarshal(e.Fields, &fields)
	of := hush{on: true, names: map[string]bool{}, known: slices.Clone(h.known)}
	for pair := range strings.SplitSeq(fields.Param, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = plainName(name); pushSecret(name) && value != "" {
			of.names[name] = true
			of.known = append(of.known, spellings(value)...)
		}
	}
	_, _ = rewriteStrings(e.Fields, func(_, s string) string {
		for _, at := range textSpans(s, credential, betweenPairs) {
			of.known = append(of.known, spellings(s[at.from:at.to])...)
		}
		return s
	})
	return of
}

func (h hush) secret(name string) bool { return credential(name) || h.names[name] }

// param masks the parameters of a push URL.
func (h hush) param(query string) string {
	if !h.on {
		return query
	}
	return maskQuery(query, pushSecret)
}

// url is a URL to which something was sent.
func (h hush) url(address string) string {
	if !h.on || address == "" {
		return address
	}
	return h.text(bareURL(address))
}

// text masks a text of any kind, such as a reply that repeats its request.
func (h hush) text(s string) string {
	if !h.on {
		return s
	}
	return maskText(s, h.secret, h.known)
}

// json masks the texts of a JSON document, whole where their member is so called;
// the rest of it stays byte for byte.
func (h hush) json(document string) string {
	if !h.on {
		return document
	}
	shown, err := rewriteStrings([]byte(document), func(member, text string) string {
		switch {
		case text == "":
			return text
		case plainName(member) == "stream_param":
			return h.param(text)
		case credential(plainName(member)):
			return mask
		}
		return h.text(text)
	})
	if err != nil {
		return h.text(document)
	}
	return maskSpans(string(shown), nil, h.known)
}

// header masks the value of a header, unless it is one of those that are known to
// tell nothing.
func (h hush) header(name, value string) string {
	public := []string{
		"Content-Type", "User-Agent", callback.HeaderEventID, callback.HeaderEventTime, callback.HeaderSequence, callback.HeaderAttempt,
		callback.HeaderTest, callback.HeaderWebhookID, callback.HeaderWebhookTimestamp,
	}
	switch {
	case !h.on || value == "":
		return value
	case slices.ContainsFunc(public, func(one string) bool { return strings.EqualFold(one, name) }):
		return h.text(value)
	}
	return mask
}

// rewriteStrings returns a JSON document with change done to its texts, which gets
// the name of the member whose value a text is, "" for the names and for texts of
// arrays. Those that stay as they are keep the way in which they are written.
func rewriteStrings(document []byte, change func(member, text string) string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var out bytes.Buffer
	var in members
	done := 0
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			break
		}
		member := in.next(token)
		text, ok := token.(string)
		if !ok {
			continue
		}
		changed := change(member, text)
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

// members says which member of an object each token of a JSON document is of.
type members struct {
	inside []json.Delim // the objects and arrays around the next token
	name   string       // of the member whose value comes next
	named  bool         // it has come
}

// next returns the member whose value a token is, "" for none.
func (m *members) next(token json.Token) string {
	of := m.name
	switch t := token.(type) {
	case json.Delim:
		if t == '{' || t == '[' {
			m.inside = append(m.inside, t)
		} else if len(m.inside) > 0 {
			m.inside = m.inside[:len(m.inside)-1]
		}
		m.name, m.named = "", false
		return of
	case string:
		if n := len(m.inside); n > 0 && m.inside[n-1] == '{' && !m.named {
			m.name, m.named = t, true
			return ""
		}
	}
	m.name, m.named = "", false
	return of
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
