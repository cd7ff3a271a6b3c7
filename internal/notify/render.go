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
	// renditions are the pic_full_url of the shot's renditions, in their order.
	renditions []string
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
	if err := stampRenditions(members, s.renditions); err != nil {
		return nil, err
	}
	return marshal(members)
}

// stampRenditions gives the renditions that the event speaks of, if it does,
// their URLs.
func stampRenditions(members map[string]any, urls []string) error {
	facts, _ := members["stillcast"].(map[string]any)
	renditions, _ := facts["renditions"].([]any)
	if len(renditions) == 0 {
		return nil
	}
	if len(renditions) != len(urls) {
		return fmt.Errorf("event speaks of %d renditions, but its shot has %d", len(renditions), len(urls))
	}
	for i, r := range renditions {
		rendition, ok := r.(map[string]any)
		if !ok {
			return fmt.Errorf("rendition %d of the event is no object", i)
		}
		rendition["pic_full_url"] = urls[i]
	}
	return nil
}
