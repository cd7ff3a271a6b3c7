package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const groupStream = "Streams"

// Length and limit of a ban ("ForbidLiveStream").
const (
	defaultBan = 7 * 24 * time.Hour
	maxBan     = 90 * 24 * time.Hour
)

// Windows of the lists of pushes.
const (
	maxHistorySpan = 31 * 24 * time.Hour
	maxHistoryPast = 62 * 24 * time.Hour
)

func pageParams(least, most int64) []Param {
	return []Param{{Name: "PageNum", Kind: Integer, Min: 1, Max: maxRows}, {Name: "PageSize", Kind: Integer, Min: least, Max: most}}
}

func oneStream() []Param {
	name, app, domain := streamName(true), appName(true), domainName()
	name.Note, app.Note = "", ""
	return []Param{name, app, domain}
}

func streamActions() []Action {
	when := func(name string) Param { return Param{Name: name, Required: true, MaxBytes: 64} }
	optionalDomain := domainName()
	optionalDomain.Required = false
	return []Action{
		{
			Name: "DescribeLiveStreamOnlineList", Values: codeInvalidValue, Reply: onlineReply{}, run: describeOnline,
			Params: append(pageParams(10, 300000), optionalDomain, appName(false), streamName(false)),
		},
		{
			Name: "DescribeLiveStreamPublishedList", Values: codeInvalidValue, Reply: publishedReply{}, run: describePublished,
			Params: append(pageParams(10, 100), domainName(), appName(false), streamName(false), when("StartTime"), when("EndTime")),
		},
		{
			Name: "DescribeLiveStreamEventList", Values: codeInvalidValue, Reply: eventListReply{}, run: describeEvents,
			Params: append(pageParams(1, 100), optionalDomain, appName(false), streamName(false), when("StartTime"), when("EndTime"),
				flagParam("IsFilter", "1: without pushes that sent no video"), flagParam("IsStrict", "1: the whole name of the stream"), flagParam("IsAsc", "1: oldest end first")),
		},
		{Name: "DescribeLiveStreamState", Params: oneStream(), Values: codeInvalidValue, Reply: streamStateReply{}, run: describeState},
		{Name: "DropLiveStream", Params: oneStream(), Writes: true, Values: codeInvalidValue, Reply: empty{}, Note: "succeeds for a stream that is not live, too", run: dropStream},
		{
			Name: "ForbidLiveStream", Writes: true, Values: codeInvalidValue, Reply: empty{}, run: forbidStream,
			Params: append(oneStream(), Param{Name: "ResumeTime", MaxBytes: 64, Note: "7 days from now where it is not given; at most 90"}, Param{Name: "Reason", MaxBytes: 2048}),
			Note:   "bans the stream of that domain, app and name; the cloud bans the name on all",
		},
		{Name: "ResumeLiveStream", Params: oneStream(), Writes: true, Values: codeInvalidValue, Reply: empty{}, run: resumeStream},
	}
}

// droppedStream is what the audit log says of a dropped push.
type droppedStream struct {
	Stream stillcast.Stream
	Pushes int
}

// isOf reports whether a push is of a stream that was named by the API, where
// the push domain is in lower case.
func isOf(p stillcast.Push, s stillcast.Stream) bool {
	p.Stream.Domain = strings.ToLower(p.Stream.Domain)
	return p.Stream == s
}

func (c *call) stream() stillcast.Stream {
	return stillcast.Stream{Domain: c.domainName(), App: c.text("AppName"), Name: c.text("StreamName")}
}

func describeOnline(_ context.Context, c *call) (any, error) {
	live := slices.DeleteFunc(c.control.Live(), func(p stillcast.Push) bool {
		s := p.Stream
		return c.domainName() != "" && c.domainName() != strings.ToLower(s.Domain) ||
			c.text("AppName") != "" && c.text("AppName") != s.App ||
			c.text("StreamName") != "" && c.text("StreamName") != s.Name
	})
	slices.SortFunc(live, func(a, b stillcast.Push) int {
		return cmp.Or(cmp.Compare(a.Stream.Domain, b.Stream.Domain), cmp.Compare(a.Stream.App, b.Stream.App), cmp.Compare(a.Stream.Name, b.Stream.Name))
	})
	page := c.page(10)
	total := int64(len(live))
	reply := onlineReply{TotalNum: total, TotalPage: page.pages(total), PageNum: page.number, PageSize: page.size, OnlineInfo: []StreamOnlineInfo{}}
	for _, p := range cut(page, live) {
		reply.OnlineInfo = append(reply.OnlineInfo, StreamOnlineInfo{
			StreamName: p.Stream.Name, AppName: p.Stream.App, DomainName: p.Stream.Domain,
			PublishTimeList: []PublishTime{{utcTime(p.Started)}},
		})
	}
	return reply, nil
}

func describeState(ctx context.Context, c *call) (any, error) {
	s := c.stream()
	bans, err := c.control.Bans(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(bans, func(b stillcast.Ban) bool { return b.Stream == s }) {
		return streamStateReply{"forbid"}, nil
	}
	if slices.ContainsFunc(c.control.Live(), func(p stillcast.Push) bool { return isOf(p, s) }) {
		return streamStateReply{"active"}, nil
	}
	return streamStateReply{"inactive"}, nil
}

func dropStream(_ context.Context, c *call) (any, error) {
	s := c.stream()
	end := stillcast.PushEnd{At: time.Now(), Code: stillcast.EndControl, Message: "21/100: the stream was dropped through the API"}
	dropped := 0
	for _, p := range c.control.Live() {
		if isOf(p, s) && c.control.Drop(p.Stream, end) {
			dropped++
		}
	}
	c.audit(nil, droppedStream{s, dropped})
	return empty{}, nil
}

func forbidStream(ctx context.Context, c *call) (any, error) {
	now := time.Now()
	ban := stillcast.Ban{Stream: c.stream(), Until: now.Add(defaultBan), Reason: c.text("Reason"), Created: now}
	if c.text("ResumeTime") != "" {
		until, err := c.moment("ResumeTime")
		if err != nil {
			return nil, err
		}
		if !until.After(now) || until.Sub(now) > maxBan {
			return nil, faultf(codeInvalidValue, "ResumeTime is %s; allowed are times within the next %d days", c.text("ResumeTime"), int(maxBan.Hours()/24))
		}
		ban.Until = until.Time
	}
	if err := c.control.Forbid(ctx, ban); err != nil {
		return nil, err
	}
	c.audit(nil, ban)
	return empty{}, nil
}

func resumeStream(ctx context.Context, c *call) (any, error) {
	ban, err := c.control.Resume(ctx, c.stream())
	if err != nil {
		return nil, err
	}
	c.audit(ban, nil)
	return empty{}, nil
}

func describePublished(ctx context.Context, c *call) (any, error) {
	rows, page, total, err := c.pushes(ctx, 10, state.PushFilter{Failed: true})
	if err != nil {
		return nil, err
	}
	reply := publishedReply{PageNum: page.number, PageSize: page.size, TotalNum: total, TotalPage: page.pages(total), PublishInfo: []StreamName{}}
	for _, r := range rows {
		reply.PublishInfo = append(reply.PublishInfo, streamRow(r))
	}
	return reply, nil
}

func describeEvents(ctx context.Context, c *call) (any, error) {
	rows, page, total, err := c.pushes(ctx, 10, state.PushFilter{
		Failed: c.integer("IsFilter") == 0, Strict: c.integer("IsStrict") == 1, Ascending: c.integer("IsAsc") == 1,
	})
	if err != nil {
		return nil, err
	}
	reply := eventListReply{PageNum: page.number, PageSize: page.size, TotalNum: total, TotalPage: page.pages(total), EventList: []StreamName{}}
	for _, r := range rows {
		reply.EventList = append(reply.EventList, streamRow(r))
	}
	return reply, nil
}

func (c *call) pushes(ctx context.Context, size int64, filter state.PushFilter) ([]state.PushRecord, page, int64, error) {
	start, end, err := c.window(maxHistorySpan, maxHistoryPast)
	if err != nil {
		return nil, page{}, 0, err
	}
	part := c.page(size)
	filter.Domain, filter.App, filter.Name = c.domainName(), c.text("AppName"), c.text("StreamName")
	filter.Start, filter.End = start.Time, end.Time
	filter.Offset, filter.Limit = part.offset(), int(part.size)
	rows, total, err := c.control.PushPage(ctx, filter)
	return rows, part, total, err
}

// Replies.
type (
	onlineReply struct {
		TotalNum, TotalPage, PageNum, PageSize int64
		OnlineInfo                             []StreamOnlineInfo
	}
	publishedReply struct {
		PublishInfo                            []StreamName
		PageNum, PageSize, TotalNum, TotalPage int64
	}
	eventListReply struct {
		EventList                              []StreamName
		PageNum, PageSize, TotalNum, TotalPage int64
	}
	streamStateReply struct {
		StreamState string
	}
)

// StreamOnlineInfo is a live stream in a reply.
type StreamOnlineInfo struct {
	StreamName      string
	PublishTimeList []PublishTime
	AppName         string
	DomainName      string
	PushToDelay     int
}

// PublishTime is when a push began.
type PublishTime struct {
	PublishTime string
}

// StreamName is a push in a reply: StreamName and StreamEventInfo of the cloud.
type StreamName struct {
	StreamName, AppName, DomainName string
	StreamStartTime, StreamEndTime  string // UTC; the end is "" while it is live
	StopReason                      string
	Duration                        int64  // in seconds
	ClientIP                        string `json:"ClientIp"`
	Resolution                      string
}

func streamRow(r state.PushRecord) StreamName {
	row := StreamName{
		StreamName: r.Stream.Name, AppName: r.Stream.App, DomainName: r.Stream.Domain,
		StreamStartTime: utcTime(r.Started), StreamEndTime: utcTime(r.End.At), StopReason: r.End.Message, ClientIP: "-",
	}
	until := r.End.At
	if until.IsZero() {
		until = time.Now()
	}
	row.Duration = max(0, seconds(until.Sub(r.Started)))
	if r.Remote.IsValid() {
		row.ClientIP = r.Remote.Addr().Unmap().WithZone("").String()
	}
	if r.End.Width > 0 {
		row.Resolution = fmt.Sprintf("%d*%d", r.End.Width, r.End.Height)
	}
	return row
}
