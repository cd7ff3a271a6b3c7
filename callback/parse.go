package callback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrMalformed is returned, wrapped with what is wrong, for a body that is not
// an event: not a JSON object, no event_type, a member of the wrong type.
var ErrMalformed = errors.New("malformed event")

// Parse returns the event in a body, which it does not verify: call [Verify]
// first. The members t and event_type may be numbers or decimal strings, others
// must have their documented type; members that are not known are left out.
// Errors wrap [ErrMalformed].
func Parse(body []byte) (Event, error) {
	members, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	return members.event(body)
}

// object is a JSON object. Its keys are told apart by case, unlike those of a
// struct.
type object map[string]json.RawMessage

func parseObject(body []byte) (object, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if o == nil {
		return nil, fmt.Errorf("%w: null instead of an object", ErrMalformed)
	}
	return o, nil
}

func (o object) event(body []byte) (Event, error) {
	eventType, ok, err := o.integer("event_type")
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("%w: event_type is missing", ErrMalformed)
	case int64(int32(eventType)) != eventType:
		return nil, fmt.Errorf("%w: event_type %d is out of range", ErrMalformed, eventType)
	}
	t, _, err := o.integer("t")
	if err != nil {
		return nil, err
	}
	sign, err := o.text("sign")
	if err != nil {
		return nil, err
	}
	switch eventType {
	case TypeScreenshot:
		return decode(o, Screenshot{EventType: TypeScreenshot, T: t, Sign: sign})
	case TypeStreamBegin:
		return decode(o, StreamBegin{EventType: TypeStreamBegin, T: t, Sign: sign})
	case TypeStreamEnd:
		return decode(o, StreamEnd{EventType: TypeStreamEnd, T: t, Sign: sign})
	case TypePushException:
		return decode(o, PushException{EventType: TypePushException, T: t, Sign: sign})
	}
	return Unknown{EventType: int(eventType), Body: bytes.Clone(body)}, nil
}

// decode fills e, whose members that every event has are set, with the others.
func decode[E Event](o object, e E) (Event, error) {
	others, err := json.Marshal(o.without("event_type", "t", "sign"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := json.Unmarshal(others, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
}

// without returns o less the named members in whatever case, because a struct
// is filled without regard to case.
func (o object) without(names ...string) object {
	rest := make(object, len(o))
	for key, value := range o {
		same := func(name string) bool { return strings.EqualFold(name, key) }
		if !slices.ContainsFunc(names, same) {
			rest[key] = value
		}
	}
	return rest
}

// integer returns a member that is a number or a decimal string; false when it
// is absent or null.
func (o object) integer(name string) (int64, bool, error) {
	raw := string(o[name])
	if raw == "" || raw == "null" {
		return 0, false, nil
	}
	text := raw
	if len(raw) >= 2 && raw[0] == '"' {
		text = raw[1 : len(raw)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%w: %s is %.40s; it must be an integer", ErrMalformed, name, raw)
	}
	return n, true, nil
}

// text returns a member that is a string; "" when it is absent or null.
func (o object) text(name string) (string, error) {
	raw, ok := o[name]
	if !ok {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%w: %s is %.40s; it must be a string", ErrMalformed, name, raw)
	}
	return s, nil
}
