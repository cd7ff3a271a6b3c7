package costest

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authorize returns nil for a request that its signature allows, or what COS
// answers. Signed says whether it has a signature at all.
func (s *Server) authorize(r *http.Request) (signed bool, _ error) {
	query, err := splitQuery(r.URL.RawQuery)
	if err != nil {
		return true, refuse(http.StatusBadRequest, "InvalidURI", "the query cannot be read: "+err.Error())
	}
	header := r.Header.Get("Authorization")
	presigned := query.Has(partSignature)
	var sig signature
	switch {
	case header == "" && !presigned:
		return false, refuse(http.StatusForbidden, "AccessDenied", "the request has no signature")
	case header != "" && presigned:
		return true, refuse(http.StatusBadRequest, "InvalidArgument", "the request has two signatures")
	case presigned:
		sig, err = parseQuery(query)
	default:
		sig, err = parseHeader(header)
	}
	if err != nil {
		return true, refuse(http.StatusBadRequest, "InvalidArgument", "the signature: "+err.Error())
	}
	return true, s.verify(r, query, sig)
}

// splitQuery is [url.ParseQuery] with ";" as a character like any other: the
// client for Node.js writes the times of a signature so.
func splitQuery(raw string) (url.Values, error) {
	query := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if err := errors.Join(nameErr, valueErr); err != nil {
			return nil, err
		}
		query.Add(name, value)
	}
	return query, nil
}

func (s *Server) verify(r *http.Request, query url.Values, sig signature) error {
	if sig.id != s.options.SecretID {
		return refuse(http.StatusForbidden, "InvalidAccessKeyId", "the access key id "+sig.id+" does not exist")
	}
	if err := s.checkTime(sig); err != nil {
		return err
	}
	want, err := sig.expect(s.options.SecretKey, r, query)
	if err != nil {
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", err.Error())
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(sig.value)) != 1 {
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "the signature is not the one of this request by "+sig.id)
	}
	token := r.Header.Get(tokenName)
	if token == "" {
		token = query.Get(tokenName)
	}
	if token != s.options.Token {
		return refuse(http.StatusForbidden, "InvalidToken", "the security token is not the one of "+sig.id)
	}
	return nil
}

func (s *Server) checkTime(sig signature) error {
	now := s.options.Now()
	switch {
	case !now.Before(sig.end):
		return refuse(http.StatusForbidden, "AccessDenied", "the request has expired at "+sig.end.UTC().Format(time.RFC3339))
	case sig.start.Sub(now) > maxSkew:
		return refuse(http.StatusForbidden, "RequestTimeTooSkewed",
			fmt.Sprintf("the request begins at %s, and here it is %s", sig.start.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)))
	}
	return nil
}

// answer is a refusal of COS.
type answer struct {
	status        int
	code, message string
}

// Error implements error.
func (a *answer) Error() string { return a.code + ": " + a.message }

func refuse(status int, code, message string) error {
	return &answer{status: status, code: code, message: message}
}

func answerOf(err error) *answer {
	if a, ok := errors.AsType[*answer](err); ok {
		return a
	}
	return &answer{status: http.StatusInternalServerError, code: "InternalError", message: err.Error()}
}
