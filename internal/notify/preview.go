package notify

import (
	"net/http"
	"time"

	"github.com/stillcast/stillcast"
)

// Preview is the request that an event would be sent with.
type Preview struct {
	URL    string      // as the callback template has it, whose query may hold secrets
	Header http.Header // all but what HTTP itself adds (Host, Content-Length)
	Body   []byte
	Sign   string // of the body, "" for none
}

// Preview makes the request of the first attempt to deliver an event at a time, as
// the callback template says now, and sends nothing. Shot is that of an event of a
// shot. The error says that no request can be made.
func (n *Notifier) Preview(to stillcast.Destination, event stillcast.Event, shot stillcast.Shot, sequence int64, at time.Time) (Preview, error) {
	p := report{started: at}
	m := message{event: event, shot: shot, sequence: sequence}
	target, body, err := n.prepare(&p, to, m, 1)
	if err != nil {
		return Preview{}, err
	}
	return Preview{URL: target.String(), Header: headerOf(m, 1, p.request), Body: body, Sign: p.Sign}, nil
}
