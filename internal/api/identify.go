package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/guard"
)

// Identify tells whose credential a request carries in the open: by HTTP Basic
// (RFC 7617), the secret id as user and the key as password, or as the bearer
// token SECRET_ID:SECRET_KEY (RFC 6750).
//
// Wrong ones slow their sender down, together with wrong signatures. The error is
// a [stillcast.Error]: CodeDenied without a right credential, CodeLimit for who
// must wait first, for as long as wait says.
func (s *Server) Identify(r *http.Request) (c Credential, wait time.Duration, err error) {
	from := guard.Network(r)
	if wait = s.guard.Wait(from); wait > 0 {
		return Credential{}, wait, stillcast.Errorf(stillcast.CodeLimit, "Authorization",
			"was wrong too often from this address; try again in %s", max(time.Second, wait.Round(time.Second)))
	}
	id, key, ok := openCredential(r)
	if !ok {
		return Credential{}, 0, stillcast.Errorf(stillcast.CodeDenied, "Authorization",
			"holds no credential; expected HTTP Basic with a secret id and its key, or the bearer token SECRET_ID:SECRET_KEY, of a credential of the control API")
	}
	c, ok = s.credentials[id]
	// Of a digest, so that the time tells neither the length of the key nor
	// whether there is such an id.
	want, got := sha256.Sum256([]byte(c.SecretKey.Reveal())), sha256.Sum256([]byte(key))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || !ok {
		s.guard.Failed(from)
		return Credential{}, 0, stillcast.Errorf(stillcast.CodeDenied, "Authorization",
			"holds no credential that is known here; those of the configuration's api.credentials are, or else the one that the server printed at its first start")
	}
	s.guard.Passed(from)
	return c, 0, nil
}

// openCredential takes a credential out of a request; ok is false where there is none.
func openCredential(r *http.Request) (id, key string, ok bool) {
	if id, key, ok = r.BasicAuth(); ok {
		return id, key, true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", "", false
	}
	return strings.Cut(strings.TrimSpace(token), ":")
}
