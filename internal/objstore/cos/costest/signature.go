package costest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names of a signature's parts (Tencent Cloud COS, "Request Signature").
const (
	partAlgorithm = "q-sign-algorithm"
	partID        = "q-ak"
	partSignTime  = "q-sign-time"
	partKeyTime   = "q-key-time"
	partHeaders   = "q-header-list"
	partParams    = "q-url-param-list"
	partSignature = "q-signature"
)

const tokenName = "x-cos-security-token"

// maxSkew is how far a signature may begin in the future, which is what clocks
// may differ (Tencent Cloud COS, "Error Codes", RequestTimeTooSkewed).
const maxSkew = 15 * time.Minute

func partNames() []string {
	return []string{partAlgorithm, partID, partSignTime, partKeyTime, partHeaders, partParams, partSignature}
}

// signature is what a request says of its signature.
type signature struct {
	id         string
	keyTime    string // START;END in Unix seconds
	start, end time.Time
	headers    []string // lower-case, in order
	params     []string
	value      string // hexadecimal
}

// parseHeader reads the value of an Authorization header.
func parseHeader(text string) (signature, error) {
	parts := make(map[string]string)
	for pair := range strings.SplitSeq(text, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return signature{}, fmt.Errorf("%.40q is no NAME=VALUE", pair)
		}
		if _, twice := parts[name]; twice {
			return signature{}, fmt.Errorf("%.40s is there twice", name)
		}
		parts[name] = value
	}
	if len(parts) > len(partNames()) {
		return signature{}, errors.New("there are parts that no signature has")
	}
	return parseParts(parts)
}

// parseQuery takes the parts out of the parameters of a presigned URL.
func parseQuery(query url.Values) (signature, error) {
	parts := make(map[string]string)
	for _, name := range partNames() {
		values := query[name]
		if len(values) != 1 {
			return signature{}, fmt.Errorf("the parameter %s is there %d times", name, len(values))
		}
		parts[name] = values[0]
		query.Del(name)
	}
	return parseParts(parts)
}

func parseParts(parts map[string]string) (s signature, err error) {
	for _, name := range partNames() {
		if _, ok := parts[name]; !ok {
			return s, fmt.Errorf("%s is missing", name)
		}
	}
	if got := parts[partAlgorithm]; got != "sha1" {
		return s, fmt.Errorf("the algorithm is %.40q, not sha1", got)
	}
	if parts[partSignTime] != parts[partKeyTime] {
		return s, errors.New("q-sign-time and q-key-time differ")
	}
	s.id, s.keyTime, s.value = parts[partID], parts[partKeyTime], parts[partSignature]
	if s.start, s.end, err = parseTimes(s.keyTime); err != nil {
		return s, err
	}
	if s.headers, err = parseList(parts[partHeaders]); err != nil {
		return s, fmt.Errorf("%s: %w", partHeaders, err)
	}
	if s.params, err = parseList(parts[partParams]); err != nil {
		return s, fmt.Errorf("%s: %w", partParams, err)
	}
	if raw, err := hex.DecodeString(s.value); err != nil || len(raw) != sha1.Size || strings.ToLower(s.value) != s.value {
		return s, errors.New("q-signature is no SHA-1 in lower-case hexadecimal digits")
	}
	return s, nil
}

func parseTimes(text string) (start, end time.Time, err error) {
	from, to, _ := strings.Cut(text, ";")
	first, firstErr := strconv.ParseUint(from, 10, 40)
	last, lastErr := strconv.ParseUint(to, 10, 40)
	if firstErr != nil || lastErr != nil || last < first {
		return start, end, fmt.Errorf("%.40q is no START;END", text)
	}
	return time.Unix(int64(first), 0), time.Unix(int64(last), 0), nil
}

func parseList(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	list := strings.Split(text, ";")
	for _, name := range list {
		if name == "" || strings.ToLower(name) != name {
			return nil, fmt.Errorf("%.40q is no name in lower-case letters", name)
		}
	}
	if !slices.IsSorted(list) {
		return nil, errors.New("the names are not in order")
	}
	return list, nil
}

// expect returns the signature that a request should have, given what it says of
// it. Query is without the parts of a presigned URL's signature. It fails when
// something is listed that was not sent, or sent and not listed that must be.
func (s signature) expect(secretKey string, r *http.Request, query url.Values) (string, error) {
	params := make(map[string][]string)
	for name, values := range query {
		name = strings.ToLower(encode(name))
		params[name] = append(params[name], values...)
	}
	for name := range params {
		if !slices.Contains(s.params, name) && name != tokenName {
			return "", fmt.Errorf("the parameter %.40s is not signed", name)
		}
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-cos-") && !slices.Contains(s.headers, name) && name != tokenName {
			return "", fmt.Errorf("the header %.40s is not signed", name)
		}
	}
	if !slices.Contains(s.headers, "host") {
		return "", errors.New("the header host is not signed")
	}
	signedParams, err := canonical(s.params, func(name string) []string { return params[name] })
	if err != nil {
		return "", err
	}
	signedHeaders, err := canonical(s.headers, func(name string) []string { return headerOf(r, name) })
	if err != nil {
		return "", err
	}
	request := strings.ToLower(r.Method) + "\n" + r.URL.Path + "\n" + signedParams + "\n" + signedHeaders + "\n"
	digest := sha1.Sum([]byte(request))
	return mac(mac(secretKey, s.keyTime), "sha1\n"+s.keyTime+"\n"+hex.EncodeToString(digest[:])+"\n"), nil
}

// canonical joins what a list of names stands for. A name is listed as often as
// it was sent; its values are in order.
func canonical(names []string, valuesOf func(string) []string) (string, error) {
	var pairs []string
	for len(names) > 0 {
		name, listed := names[0], 1
		for listed < len(names) && names[listed] == name {
			listed++
		}
		names = names[listed:]
		values := slices.Sorted(slices.Values(valuesOf(name)))
		if len(values) != listed {
			return "", fmt.Errorf("%.40s is listed %d times and was sent %d times", name, listed, len(values))
		}
		for _, value := range values {
			pairs = append(pairs, name+"="+encode(value))
		}
	}
	return strings.Join(pairs, "&"), nil
}

// headerOf returns a header as it was sent, also where Go's server took it out.
func headerOf(r *http.Request, name string) []string {
	switch {
	case name == "host":
		return []string{r.Host}
	case name == "content-length" && len(r.Header.Values(name)) == 0 && r.ContentLength >= 0:
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	case name == "transfer-encoding":
		return r.TransferEncoding
	}
	return r.Header.Values(name)
}

func mac(key, text string) string {
	h := hmac.New(sha1.New, []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// encode is the UrlEncode of the documentation: all but the unreserved
// characters of RFC 3986.
func encode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}
