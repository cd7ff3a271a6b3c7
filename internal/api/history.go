package api

import (
	"cmp"
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const groupHistory = "Records"

const (
	maxCallbackSpan = 24 * time.Hour
	maxCallbackPast = 14 * 24 * time.Hour
	maxMinuteSpan   = 31 * 24 * time.Hour
	maxDaySpan      = 186 * 24 * time.Hour
	maxReportPast   = 186 * 24 * time.Hour
)

func historyActions() []Action {
	when := func(name string) Param { return Param{Name: name, Required: true, MaxBytes: 64} }
	return []Action{
		{
			Name: "DescribeCallbackRecordsList", Values: codeInvalidValue, Reply: callbackRecordsReply{}, run: describeCallbackRecords,
			Params: []Param{
				when("StartTime"), when("EndTime"), streamName(true),
				{Name: "PageNum", Kind: Integer, Required: true, Min: 1, Max: maxRows},
				{Name: "PageSize", Kind: Integer, Required: true, Min: 1, Max: 100},
				{Name: "EventType", Kind: Integer, Allowed: []string{"0", "1", "100", "200"}},
				{Name: "ResultCode", Kind: Integer, Note: "0 delivered, others failed"},
			},
			Note: "one row for each attempt; Request is without t, sign and pic_full_url, which each attempt makes anew",
		},
		{
			Name: "DescribeScreenShotSheetNumList", Values: codeInvalidValue, Reply: sheetNumReply{}, run: describeSheetNum,
			Params: []Param{
				when("StartTime"), when("EndTime"),
				{Name: "Zone", Allowed: []string{"Mainland", "Oversea"}, Note: "ignored: there is one"},
				{Name: "PushDomains", Kind: Texts, MaxItems: MaxDomains, MaxBytes: maxName},
				{Name: "Granularity", Allowed: []string{"Minute", "Day"}, Note: "five minutes, or days"},
			},
			Note: "without delay",
		},
	}
}

func describeCallbackRecords(ctx context.Context, c *call) (any, error) {
	start, end, err := c.window(maxCallbackSpan, maxCallbackPast)
	if err != nil {
		return nil, err
	}
	page := c.page(10)
	filter := state.AttemptFilter{Stream: c.text("StreamName"), Start: start.Time, End: end.Time, Offset: page.offset(), Limit: int(page.size)}
	if c.has("EventType") {
		typ := stillcast.EventType(c.integer("EventType"))
		filter.EventType = &typ
	}
	if c.has("ResultCode") {
		failed := c.integer("ResultCode") != 0
		filter.Failed = &failed
	}
	rows, total, err := c.control.AttemptPage(ctx, filter)
	if err != nil {
		return nil, err
	}
	reply := callbackRecordsReply{PageNum: page.number, PageSize: page.size, TotalNum: total, TotalPage: page.pages(total), DataInfoList: []CallbackEventInfo{}}
	for _, r := range rows {
		reply.DataInfoList = append(reply.DataInfoList, CallbackEventInfo{
			EventTime: start.format(r.Event.At), EventType: int64(r.Event.Type), Request: string(r.Event.Fields), Response: cmp.Or(r.Response, r.Error),
			ResponseTime: start.format(r.Responded), ResultCode: number(!r.Delivered), StreamID: r.Event.Stream.Name,
		})
	}
	return reply, nil
}

func describeSheetNum(ctx context.Context, c *call) (any, error) {
	step, span := 24*time.Hour, maxDaySpan
	if c.text("Granularity") == "Minute" {
		step, span = 5*time.Minute, maxMinuteSpan
	}
	start, end, err := c.window(span, maxReportPast)
	if err != nil {
		return nil, err
	}
	from := floor(start.In(c.control.Location()), step)
	counts, err := c.control.CountShots(ctx, c.texts("PushDomains"), from, end.Time, step)
	if err != nil {
		return nil, err
	}
	reply := sheetNumReply{DataInfoList: []TimeValue{}}
	for i, n := range counts {
		reply.DataInfoList = append(reply.DataInfoList, TimeValue{Time: utcTime(from.Add(time.Duration(i) * step)), Num: n})
	}
	return reply, nil
}

// floor returns the start of the step that a time is in; days begin in the time's own zone.
func floor(t time.Time, step time.Duration) time.Time {
	if step < 24*time.Hour {
		return t.Truncate(step)
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// Replies.
type (
	callbackRecordsReply struct {
		DataInfoList                           []CallbackEventInfo
		PageNum, PageSize, TotalNum, TotalPage int64
	}
	sheetNumReply struct {
		DataInfoList []TimeValue
	}
)

// CallbackEventInfo is an attempt in a reply.
type CallbackEventInfo struct {
	EventTime    string
	EventType    int64
	Request      string
	Response     string
	ResponseTime string
	ResultCode   int
	StreamID     string `json:"StreamId"`
}

// TimeValue is a number of shots.
type TimeValue struct {
	Time string
	Num  int64
}
