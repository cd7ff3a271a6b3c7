package tcsign

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's own
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"slices"
	"strings"
)

// parseV1 reads the parameters of the older signature. Its method is HmacSHA1 where it is not given.
func parseV1(r *Request) (signature, error) {
	for _, name := range []string{"SecretId", "Timestamp", "Nonce", "Signature"} {
		if r.Form.Get(name) == "" {
			return signature{}, refuse(CodeMissing, "the request is not signed: there is no Authorization header, and the parameter %s of the older signature is missing", name)
		}
	}
	for name, values := range r.Form {
		if len(values) > 1 { // one alone is signed
			return signature{}, refuse(CodeInvalid, "the parameter %s is given %d times", clip(name), len(values))
		}
	}
	at, err := parseTimestamp("Timestamp", r.Form.Get("Timestamp"))
	if err != nil {
		return signature{}, err
	}
	var method func() hash.Hash
	switch name := r.Form.Get("SignatureMethod"); name {
	case "", "HmacSHA1":
		method = sha1.New
	case "HmacSHA256":
		method = sha256.New
	default:
		return signature{}, refuse(CodeInvalid, "SignatureMethod is %q; allowed are HmacSHA1 and HmacSHA256", clip(name))
	}
	return signature{
		id: r.Form.Get("SecretId"), timestamp: at, value: r.Form.Get("Signature"),
		candidates: func(r *Request, key string) []string { return v1Candidates(r, key, method) },
	}, nil
}

func v1Candidates(r *Request, key string, method func() hash.Hash) []string {
	parameters := v1Parameters(r)
	var all []string
	for _, host := range r.hosts() {
		for _, path := range r.paths() {
			h := hmac.New(method, []byte(key))
			h.Write([]byte(r.Method + host + path + "?" + parameters))
			all = append(all, base64.StdEncoding.EncodeToString(h.Sum(nil)))
		}
	}
	return all
}

// v1Parameters writes all parameters but the signature, sorted, with decoded values.
func v1Parameters(r *Request) string {
	names := make([]string, 0, len(r.Form))
	for name := range r.Form {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + r.Form.Get(name))
	}
	return b.String()
}
