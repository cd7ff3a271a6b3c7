package tcsign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	tc3Algorithm    = "TC3-HMAC-SHA256"
	tc3Terminator   = "tc3_request"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	maxSigned       = 32 // headers
)

// tc3 is an Authorization header taken apart.
type tc3 struct {
	date, service string
	headers       []string // lower case, in the order of signing
	timestamp     string
}

// parseTC3 reads "TC3-HMAC-SHA256 Credential=ID/DATE/SERVICE/tc3_request, SignedHeaders=a;b, Signature=HEX".
func parseTC3(r *Request, header string) (signature, error) {
	rest, ok := strings.CutPrefix(header, tc3Algorithm+" ")
	if !ok {
		return signature{}, refuse(CodeFailure, "the Authorization header begins with %q; allowed is %s", clip(header), tc3Algorithm)
	}
	fields, err := tc3Fields(rest)
	if err != nil {
		return signature{}, err
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 4 || scope[0] == "" || scope[3] != tc3Terminator {
		return signature{}, refuse(CodeFailure, "the Credential is %q; allowed is ID/DATE/SERVICE/%s", clip(fields["Credential"]), tc3Terminator)
	}
	t := tc3{date: scope[1], service: scope[2], headers: strings.Split(strings.ToLower(fields["SignedHeaders"]), ";"), timestamp: r.Header.Get("X-TC-Timestamp")}
	at, err := parseTimestamp("X-TC-Timestamp", t.timestamp)
	if err != nil {
		return signature{}, err
	}
	if err := t.check(r, at); err != nil {
		return signature{}, err
	}
	return signature{id: scope[0], timestamp: at, value: fields["Signature"], candidates: t.candidates}, nil
}

func tc3Fields(text string) (map[string]string, error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return nil, refuse(CodeFailure, "the Authorization header holds %q; expected NAME=VALUE", clip(part))
		}
		if _, double := fields[name]; double {
			return nil, refuse(CodeFailure, "the Authorization header holds %q twice", clip(name))
		}
		fields[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if fields[name] == "" {
			return nil, refuse(CodeFailure, "the Authorization header holds no %s", name)
		}
	}
	return fields, nil
}

func (t *tc3) check(r *Request, at time.Time) error {
	if day := at.UTC().Format(time.DateOnly); t.date != day {
		return refuse(CodeFailure, "the Credential is of the day %q and X-TC-Timestamp of %s (UTC)", clip(t.date), day)
	}
	if len(t.headers) > maxSigned {
		return refuse(CodeFailure, "%d headers are signed; at most %d are allowed", len(t.headers), maxSigned)
	}
	if !slices.Contains(t.headers, "host") {
		return refuse(CodeFailure, "SignedHeaders are %q; host must be among them", clip(strings.Join(t.headers, ";")))
	}
	if r.Method == http.MethodPost && !slices.Contains(t.headers, "content-type") {
		return refuse(CodeFailure, "SignedHeaders are %q; content-type must be among them", clip(strings.Join(t.headers, ";")))
	}
	return nil
}

// candidates returns the signatures that the known clients would make for the request.
func (t *tc3) candidates(r *Request, key string) []string {
	signing, payload := t.signingKey(key), payloadHash(r)
	var all []string
	for _, host := range r.hosts() {
		for _, path := range r.paths() {
			exact := t.canonicalHeaders(r, host, false)
			all = append(all, t.signature(r, path, exact, payload, signing))
			if lower := t.canonicalHeaders(r, host, true); lower != exact {
				all = append(all, t.signature(r, path, lower, payload, signing))
			}
		}
	}
	return all
}

func (t *tc3) signingKey(key string) []byte {
	return hmacSHA256(hmacSHA256(hmacSHA256([]byte("TC3"+key), t.date), t.service), tc3Terminator)
}

func payloadHash(r *Request) string {
	if r.Header.Get("X-TC-Content-SHA256") == unsignedPayload {
		return hashHex([]byte(unsignedPayload))
	}
	return hashHex(r.Body)
}

func (t *tc3) signature(r *Request, path, headers, payload string, signing []byte) string {
	canonical := strings.Join([]string{r.Method, path, r.Query, headers, strings.Join(t.headers, ";"), payload}, "\n")
	text := strings.Join([]string{
		tc3Algorithm, t.timestamp, t.date + "/" + t.service + "/" + tc3Terminator, hashHex([]byte(canonical)),
	}, "\n")
	return hex.EncodeToString(hmacSHA256(signing, text))
}

// canonicalHeaders writes the signed headers. The documentation puts values in lower case, the SDKs leave them as they are.
func (t *tc3) canonicalHeaders(r *Request, host string, lower bool) string {
	var b strings.Builder
	for _, name := range t.headers {
		value := strings.TrimSpace(r.Header.Get(name))
		if name == "host" {
			value = host
		}
		if lower {
			value = strings.ToLower(value)
		}
		b.WriteString(name + ":" + value + "\n")
	}
	return b.String()
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hashHex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
