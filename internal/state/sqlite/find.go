package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// search finds the ids of deliveries, in order and at most limit.
type search struct {
	view

	filter state.DeliveryFilter
	state  deliveryState // -1: any
	times  window
	limit  int

	events span // those of the times, and not before and after the page
	ids    span // likewise
}

// newSearch checks the filter.
func newSearch(v view, f state.DeliveryFilter, limit int) (*search, error) {
	s := &search{view: v, filter: f, state: -1, times: window{f.From, f.Until}, limit: limit}
	if f.State != "" {
		i := slices.Index(deliveryStates(), f.State)
		if i < 0 {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "state", "is %q; allowed are %q", f.State, deliveryStates())
		}
		s.state = deliveryState(i)
	}
	return s, nil
}

// run chooses the way that reads least:
//   - an event is found by itself;
//   - without a state, a destination or a type of event, what there is comes in
//     the order of its ids;
//   - with one of these, each destination has its deliveries in that order, in
//     each state, and says how many there are;
//   - of a stream, its events come in that order. It is the only way that may
//     pass over many before it finds one, unless there are few in the state.
func (s *search) run() ([]int64, error) {
	if s.filter.EventID != "" || s.filter.ShotID != 0 {
		return s.ofEvent()
	}
	if err := s.bound(); err != nil || s.ids.empty() {
		return nil, err
	}
	if s.filter.Destination == nil && s.filter.EventType == nil && s.state < 0 {
		if s.filter.Stream != nil {
			return s.ofStream(nil)
		}
		return s.ofAll()
	}
	sources, few, err := s.sources()
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	if s.filter.Stream != nil && !few {
		return s.ofStream(sources)
	}
	return s.merged(sources)
}

// bound sets the spans.
func (s *search) bound() error {
	s.ids = page(s.filter.AfterID, s.filter.BeforeID)
	events, err := s.eventsIn(s.times)
	if err != nil {
		return err
	}
	s.events = events
	if !s.times.open() {
		of, err := s.deliveriesOf(events)
		if err != nil {
			return err
		}
		s.ids = s.ids.within(of)
	}
	if s.filter.Stream != nil && !s.ids.empty() {
		of, err := s.eventsOf(s.ids)
		s.events = s.events.within(of)
		return err
	}
	return nil
}

// order returns how to sort by columns.
func (s *search) order(columns ...string) string { return orderBy(s.filter.Descending, columns...) }

func orderBy(descending bool, columns ...string) string {
	if descending {
		return " ORDER BY " + strings.Join(columns, " DESC, ") + " DESC"
	}
	return " ORDER BY " + strings.Join(columns, ", ")
}

func (s *search) find(from string, where *conditions, order string) ([]int64, error) {
	return s.numbers("SELECT delivery.id FROM "+from+" WHERE "+where.String()+order+" LIMIT ?", append(where.args, s.limit)...)
}

// restrict adds what holds for the delivery itself.
func (s *search) restrict(where *conditions) {
	where.add("delivery.id >= ?", s.ids.first)
	where.add("delivery.id <= ?", s.ids.last)
	s.times.restrict(where, "delivery.at")
}

func (s *search) ofAll() ([]int64, error) {
	where := &conditions{}
	s.restrict(where)
	return s.find("delivery", where, s.order("delivery.id"))
}

// ofEvent sorts the few deliveries of one event.
func (s *search) ofEvent() ([]int64, error) {
	s.ids = page(s.filter.AfterID, s.filter.BeforeID)
	where := &conditions{}
	if s.filter.EventID != "" {
		where.add("delivery.event = (SELECT num FROM event WHERE id = ?)", s.filter.EventID)
	}
	if s.filter.ShotID != 0 {
		where.add("delivery.event = (SELECT num FROM event INDEXED BY event_shot WHERE shot = ?)", s.filter.ShotID)
	}
	if s.filter.Stream != nil {
		where.addStream("event.stream", *s.filter.Stream)
	}
	if s.state >= 0 {
		where.add("+delivery.state = ?", int(s.state)) // the event has found them
	}
	if d := s.filter.Destination; d != nil {
		where.add("destination.template = ?", d.TemplateID)
		where.add("destination.event_type = ?", int(d.Event))
	}
	if t := s.filter.EventType; t != nil {
		where.add("event.type = ?", int(*t))
	}
	s.restrict(where)
	return s.find("delivery CROSS JOIN event ON event.num = delivery.event CROSS JOIN destination ON destination.id = delivery.destination",
		where, s.order("delivery.id"))
}

// source is where the deliveries of one destination in one state are.
type source struct {
	destination int64
	state       deliveryState
}

// fewDeliveries is how many are rather looked at than a whole stream.
const fewDeliveries = 2000

// sources returns where something is, and whether there are few in all.
func (s *search) sources() (list []source, few bool, err error) {
	where := &conditions{}
	where.add("true")
	if d := s.filter.Destination; d != nil {
		where.add("template = ?", d.TemplateID)
		where.add("event_type = ?", int(d.Event))
	}
	if t := s.filter.EventType; t != nil {
		where.add("event_type = ?", int(*t)) // destinations are of one type
	}
	var total int64
	err = s.query("SELECT id, waiting, pending, claimed, delivered, parked FROM destination WHERE "+where.String(), where.args, func(scan scan) error {
		var id int64
		counts := make([]int64, len(deliveryStates()))
		err := scan(&id, &counts[stateWaiting], &counts[statePending], &counts[stateClaimed], &counts[stateDelivered], &counts[stateParked])
		for i, n := range counts {
			if n > 0 && (s.state < 0 || s.state == deliveryState(i)) {
				list = append(list, source{id, deliveryState(i)})
				total += n
			}
		}
		return err
	})
	return list, total <= fewDeliveries, err
}

// merged takes the first of each source, and of these the first.
func (s *search) merged(sources []source) ([]int64, error) {
	var all []int64
	for _, from := range sources {
		where := &conditions{}
		where.add("delivery.destination = ?", from.destination)
		where.add("delivery.state = ?", int(from.state))
		s.restrict(where)
		if s.filter.Stream != nil {
			where.addStream("(SELECT stream FROM event WHERE num = delivery.event)", *s.filter.Stream)
		}
		some, err := s.find("delivery INDEXED BY delivery_state", where, s.order("delivery.id"))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.Sort(all)
	if s.filter.Descending {
		slices.Reverse(all)
	}
	return all[:min(len(all), s.limit)], nil
}

// ofStream walks along the events of a stream; nil for sources are all.
func (s *search) ofStream(sources []source) ([]int64, error) {
	where := &conditions{}
	where.addStream("event.stream", *s.filter.Stream)
	where.add("event.num >= ?", s.events.first)
	where.add("event.num <= ?", s.events.last)
	if sources != nil {
		ids, err := destinationsOf(sources)
		if err != nil {
			return nil, err
		}
		where.add("+delivery.destination IN (SELECT value FROM json_each(?))", ids)
	}
	if s.state >= 0 {
		where.add("+delivery.state = ?", int(s.state))
	}
	s.restrict(where)
	// Those of one event were made in the order of their ids.
	return s.find("event INDEXED BY event_stream CROSS JOIN delivery INDEXED BY sqlite_autoindex_delivery_1 ON delivery.event = event.num",
		where, s.order("event.num", "delivery.id"))
}

func destinationsOf(sources []source) (string, error) {
	var ids []int64
	for _, from := range sources {
		if !slices.Contains(ids, from.destination) {
			ids = append(ids, from.destination)
		}
	}
	return list(ids)
}

// list is what json_each takes apart again: ids as one parameter.
func list(ids []int64) (string, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return "", fmt.Errorf("list ids: %w", err)
	}
	return string(text), nil
}

// addStream adds a condition on a column that refers to a stream.
func (c *conditions) addStream(column string, s stillcast.Stream) {
	c.add(column+" = (SELECT id FROM stream WHERE domain = ? AND app = ? AND name = ?)", s.Domain, s.App, s.Name)
}
