package callback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers of Standard Webhooks 1.0.0. Stillcast sends them when the callback
// template has a signing secret.
const (
	HeaderWebhookID        = "Webhook-Id"        // that of the event, as in HeaderEventID
	HeaderWebhookTimestamp = "Webhook-Timestamp" // when the attempt was made, Unix time in seconds
	HeaderWebhookSignature = "Webhook-Signature" // signatures, one for each secret, separated by spaces
)

// DefaultTolerance is how far the webhook-timestamp may be from the receiver's
// clock, either way.
const DefaultTolerance = 5 * time.Minute

// ErrDowngraded says that an event has none of the headers of Standard Webhooks
// although the receiver has a signing secret: something left them out, or
// somebody who knows no more than the key made the event up.
var ErrDowngraded = errors.New("event is signed without its body")

const (
	secretPrefix = "whsec_"
	// Of the bytes of a secret (Standard Webhooks 1.0.0, "Signature scheme").
	minSecret, maxSecret = 24, 64

	signatureVersion = "v1,"
)

// SignWebhook returns the webhook-signature of a body by one secret:
//
//	"v1," + base64(HMAC-SHA256(secret, id + "." + Unix time of sent + "." + body))
//
// (Standard Webhooks 1.0.0, "Signature scheme"). The secret is "whsec_" and
// base64 of 24 to 64 bytes; the prefix may be left out. An id must not be empty
// nor hold a dot.
func SignWebhook(secret, id string, sent time.Time, body []byte) (string, error) {
	if id == "" || strings.Contains(id, ".") {
		return "", fmt.Errorf("sign webhook: the id %q is empty or holds a dot", id)
	}
	key, err := secretKey(secret)
	if err != nil {
		return "", fmt.Errorf("sign webhook: %w", err)
	}
	sum := webhookMAC(key, id, strconv.FormatInt(sent.Unix(), 10), body)
	return signatureVersion + base64.StdEncoding.EncodeToString(sum), nil
}

func webhookMAC(key []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// secretKey returns the bytes of a signing secret. Its errors do not show it.
func secretKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: a signing secret is not %q and base64", ErrNoKey, secretPrefix)
	case len(key) < minSecret || len(key) > maxSecret:
		return nil, fmt.Errorf("%w: a signing secret has %d bytes; allowed are %d to %d", ErrNoKey, len(key), minSecret, maxSecret)
	}
	return key, nil
}

// webhook is what the headers of Standard Webhooks say.
type webhook struct {
	id, timestamp string
	sent          int64 // Unix time in seconds
	signatures    [][]byte
}

// hasWebhook says whether a header holds any part of Standard Webhooks.
func hasWebhook(h http.Header) bool {
	return len(h[HeaderWebhookID])+len(h[HeaderWebhookTimestamp])+len(h[HeaderWebhookSignature]) > 0
}

// parseWebhook reads the headers. A header that is there twice, and so means
// different things to different readers, is refused.
func parseWebhook(h http.Header) (webhook, error) {
	for _, name := range [...]string{HeaderWebhookID, HeaderWebhookTimestamp, HeaderWebhookSignature} {
		if n := len(h[name]); n != 1 || h[name][0] == "" {
			return webhook{}, fmt.Errorf("%w: %s is missing, empty or there %d times", ErrNotSigned, strings.ToLower(name), n)
		}
	}
	w := webhook{id: h[HeaderWebhookID][0], timestamp: h[HeaderWebhookTimestamp][0]}
	if strings.Contains(w.id, ".") {
		return webhook{}, fmt.Errorf("%w: webhook-id holds a dot", ErrBadSignature)
	}
	var err error
	w.sent, err = strconv.ParseInt(w.timestamp, 10, 64)
	if err != nil || w.timestamp != strconv.FormatInt(w.sent, 10) {
		return webhook{}, fmt.Errorf("%w: webhook-timestamp is %.40q; it must be a Unix time in seconds", ErrBadSignature, w.timestamp)
	}
	for signature := range strings.FieldsSeq(h[HeaderWebhookSignature][0]) {
		encoded, ok := strings.CutPrefix(signature, signatureVersion)
		if !ok {
			continue // of a scheme that is not known here, such as v1a
		}
		if sum, err := base64.StdEncoding.Strict().DecodeString(encoded); err == nil && len(sum) == sha256.Size {
			w.signatures = append(w.signatures, sum)
		}
	}
	if len(w.signatures) == 0 {
		return webhook{}, fmt.Errorf("%w: webhook-signature holds no signature of the version v1", ErrNotSigned)
	}
	return w, nil
}

// verify checks a body against the secrets, in a time that depends on none of them.
func (w webhook) verify(secrets []string, body []byte) error {
	matches := 0
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			return err
		}
		want := webhookMAC(key, w.id, w.timestamp, body)
		for _, given := range w.signatures {
			if hmac.Equal(given, want) {
				matches++
			}
		}
	}
	if matches == 0 {
		return fmt.Errorf("%w: webhook-signature is not that of the id, time and body by any of the secrets", ErrBadSignature)
	}
	return nil
}

func (w webhook) checkTime(now time.Time, tolerance time.Duration) error {
	most := int64(tolerance / time.Second)
	switch age := now.Unix() - w.sent; {
	case age > most:
		return fmt.Errorf("%w: webhook-timestamp is %d, now is %d; at most %d seconds are allowed", ErrExpired, w.sent, now.Unix(), most)
	case age < -most:
		return fmt.Errorf("%w: webhook-timestamp is %d, now is %d; at most %d seconds ahead are allowed", ErrTooFarAhead, w.sent, now.Unix(), most)
	}
	return nil
}
