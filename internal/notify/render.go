package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

// signatureLife is how long a signature is valid (Tencent Cloud CSS, "Common
// callback parameters": ten minutes).
const signatureLife = 10 * time.Minute

// stamp is what of an event depends on the attempt.
type stamp struct {
	key        stillcast.Secret // "" leaves the event unsigned
	now        time.Time
	picFullURL string // "" for events that have none
}

// render returns the body of an attempt: the fields of the event and its stamp,
// members in alphabetical order.
func render(fields json.RawMessage, s stamp) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(fields))
	d.UseNumber() // an int64 does not fit a float64
	var members map[string]any
	if err := d.Decode(&members); err != nil {
		return nil, fmt.Errorf("read fields of event: %w", err)
	}
	if members == nil {
		return nil, errors.New("read fields of event: null instead of an object")
	}
	t := s.now.Add(signatureLife).Unix()
	members["t"] = t
	if s.key != "" {
		members["sign"] = callback.Sign(s.key.Reveal(), t)
	}
	if s.picFullURL != "" {
		members["pic_full_url"] = s.picFullURL
	}
	return marshal(members)
}
