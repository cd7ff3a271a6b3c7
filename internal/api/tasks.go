package api

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const groupTask = "Screenshot tasks"

// Limits of tasks ("CreateScreenshotTask", "DescribeScreenshotTask").
const (
	maxTaskAhead  = 7 * 24 * time.Hour
	maxTaskSpan   = 24 * time.Hour
	maxTaskWindow = 7 * 24 * time.Hour
	maxTaskPast   = 90 * 24 * time.Hour
	taskPage      = 100
)

func unixTime(name string, required bool) Param {
	return Param{Name: name, Kind: Integer, Required: required, Max: 1 << 40, Note: "Unix time in seconds"}
}

func taskActions() []Action {
	id := []Param{{Name: "TaskId", Required: true, MaxBytes: 64, Fields: []string{"id"}}}
	optionalDomain := domainName()
	optionalDomain.Required = false
	notFound := map[stillcast.Code]string{stillcast.CodeNotFound: codeInvalid}
	return []Action{
		{
			Name: "CreateScreenshotTask", Writes: true, Reply: taskIDReply{}, run: createTask,
			Params: append(oneStream(), unixTime("EndTime", true), templateID(), unixTime("StartTime", false),
				flagParam("StreamType", "0 and 1 are alike: there are no mixed streams"), Param{Name: "Extension", Note: "ignored"}),
			Faults: map[stillcast.Code]string{stillcast.CodeLimit: "LimitExceeded.MaximumRunningTask"},
			Note:   "a template that does not exist is accepted, as by the cloud, and captures nothing",
		},
		{
			Name: "DescribeScreenshotTask", Reply: taskListReply{}, run: describeTasks,
			Params: []Param{unixTime("StartTime", true), unixTime("EndTime", true), streamName(false), optionalDomain, appName(false), {Name: "ScrollToken", MaxBytes: 64, Fields: []string{"after"}}},
		},
		{Name: "StopScreenshotTask", Params: id, Writes: true, Reply: empty{}, Faults: notFound, run: stopTask},
		{Name: "DeleteScreenshotTask", Params: id, Writes: true, Reply: empty{}, Faults: notFound, Note: "a capture that runs goes on until its push ends", run: deleteTask},
	}
}

func createTask(ctx context.Context, c *call) (any, error) {
	now := time.Now()
	task := stillcast.Task{Stream: c.stream(), TemplateID: c.integer("TemplateId"), Start: now, End: time.Unix(c.integer("EndTime"), 0), Created: now}
	if c.integer("StartTime") != 0 {
		task.Start = time.Unix(c.integer("StartTime"), 0)
	}
	switch {
	case !task.End.After(now):
		return nil, faultf(codeInvalid, "EndTime %d has passed; it is %d now", task.End.Unix(), now.Unix())
	case task.End.Sub(now) > maxTaskAhead:
		return nil, faultf(codeInvalid, "EndTime %d is more than %s from now", task.End.Unix(), inDays(maxTaskAhead))
	case !task.End.After(task.Start):
		return nil, faultf(codeInvalid, "EndTime %d is not after StartTime %d", task.End.Unix(), task.Start.Unix())
	case task.End.Sub(task.Start) > maxTaskSpan:
		return nil, faultf(codeInvalid, "StartTime and EndTime are %s apart; at most %s are allowed", task.End.Sub(task.Start).Round(time.Second), maxTaskSpan)
	}
	task, err := c.control.AddTask(ctx, task)
	if err != nil {
		return nil, err
	}
	c.audit(nil, task)
	return taskIDReply{task.ID}, nil
}

func describeTasks(ctx context.Context, c *call) (any, error) {
	filter := state.TaskFilter{
		Stream: c.stream(), Start: time.Unix(c.integer("StartTime"), 0), End: time.Unix(c.integer("EndTime"), 0),
		After: c.text("ScrollToken"), Limit: taskPage,
	}
	if err := c.checkWindow(filter.Start, filter.End, maxTaskWindow, maxTaskPast); err != nil {
		return nil, err
	}
	tasks, err := c.control.TaskPage(ctx, filter)
	if err != nil {
		return nil, err
	}
	reply := taskListReply{TaskList: []ScreenshotTask{}}
	for _, t := range tasks {
		info := ScreenshotTask{
			TaskID: t.ID, DomainName: t.Stream.Domain, AppName: t.Stream.App, StreamName: t.Stream.Name,
			StartTime: t.Start.Unix(), EndTime: t.End.Unix(), TemplateID: t.TemplateID,
		}
		if !t.Stopped.IsZero() {
			info.Stopped = t.Stopped.Unix()
		}
		reply.TaskList = append(reply.TaskList, info)
	}
	if len(tasks) == taskPage {
		reply.ScrollToken = tasks[taskPage-1].ID
	}
	return reply, nil
}

func stopTask(ctx context.Context, c *call) (any, error) {
	task, err := c.control.StopTask(ctx, c.text("TaskId"), time.Now())
	if err != nil {
		return nil, err
	}
	c.audit(nil, task)
	return empty{}, nil
}

func deleteTask(ctx context.Context, c *call) (any, error) {
	task, err := c.control.DeleteTask(ctx, c.text("TaskId"))
	if err != nil {
		return nil, err
	}
	c.audit(task, nil)
	return empty{}, nil
}

// Replies.
type (
	taskIDReply struct {
		TaskID string `json:"TaskId"`
	}
	taskListReply struct {
		ScrollToken string
		TaskList    []ScreenshotTask
	}
)

// ScreenshotTask is a task in a reply.
type ScreenshotTask struct {
	TaskID                          string `json:"TaskId"`
	DomainName, AppName, StreamName string
	StartTime, EndTime              int64
	TemplateID                      int64 `json:"TemplateId"`
	Stopped                         int64 // 0: never
}
