package api

import (
	"context"
	"slices"
)

// Actions is the table: every action with what it takes, gives and refuses. The
// facts are those of the documentation of Tencent Cloud live 2018-08-01.
func Actions() []Action {
	groups := []struct {
		name    string
		actions []Action
	}{
		{groupSnapshot, snapshotActions()},
		{groupTask, taskActions()},
		{groupCallback, callbackActions()},
		{groupHistory, historyActions()},
		{groupDomain, domainActions()},
		{groupStream, streamActions()},
		{groupPull, pullActions()},
	}
	var all []Action
	for _, g := range groups {
		for i := range g.actions {
			g.actions[i].Group = g.name
		}
		all = slices.Concat(all, g.actions)
	}
	return all
}

const groupPull = "Pull tasks"

// pullActions are known and refused; whatever their parameters are.
func pullActions() []Action {
	var all []Action
	for _, name := range []string{
		"CreateLivePullStreamTask", "ModifyLivePullStreamTask", "DeleteLivePullStreamTask",
		"DescribeLivePullStreamTasks", "DescribeLivePullStreamTaskStatus", "RestartLivePullStreamTask",
	} {
		all = append(all, Action{Name: name, AnyParams: true, Reply: empty{}, Note: "not supported yet", run: func(context.Context, *call) (any, error) {
			return nil, faultf(codeUnsupported, "%s is not supported: Stillcast does not pull streams yet; push them", name)
		}})
	}
	return all
}
