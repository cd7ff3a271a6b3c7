package tcsign

import (
	"strconv"
	"strings"
	"time"
)

// Sign signs a request with TC3-HMAC-SHA256: it sets the headers X-TC-Timestamp
// and Authorization. The request must have its Content-Type.
func Sign(r *Request, service, id, key string, at time.Time) {
	t := tc3{
		date: at.UTC().Format(time.DateOnly), service: service,
		headers: []string{"content-type", "host"}, timestamp: strconv.FormatInt(at.Unix(), 10),
	}
	r.Header.Set("X-TC-Timestamp", t.timestamp)
	signature := t.signature(r, r.Path, t.canonicalHeaders(r, r.Host, false), payloadHash(r), t.signingKey(key))
	r.Header.Set("Authorization", tc3Algorithm+
		" Credential="+strings.Join([]string{id, t.date, service, tc3Terminator}, "/")+
		", SignedHeaders="+strings.Join(t.headers, ";")+", Signature="+signature)
}
