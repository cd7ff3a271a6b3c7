package app

import (
	"context"
	"fmt"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
)

// Apply creates or updates what d declares and lets it act on running streams.
// What d does not name is left alone.
func (a *App) Apply(ctx context.Context, d stillcast.Declaration) error {
	if err := a.checkMirrors(d.SnapshotTemplates); err != nil {
		return fmt.Errorf("apply the resources: %w", err)
	}
	changes, err := a.state.ApplyDeclaration(ctx, d)
	if err != nil {
		return fmt.Errorf("apply the resources: %w", stillcast.Within("resources", err))
	}
	for _, c := range changes {
		a.log.Info("resource applied", "kind", c.Kind, "name", c.Name, "created", c.Created)
	}
	return a.refresh(ctx)
}

// refresh puts the resources in force that the state has now.
func (a *App) refresh(ctx context.Context) error {
	a.refreshing.Lock()
	defer a.refreshing.Unlock()
	set, err := a.state.Resources(ctx)
	if err != nil {
		return fmt.Errorf("read the resources: %w", err)
	}
	a.resources.Store(stillcast.NewResources(set))
	if a.capture != nil {
		a.capture.Reload()
	}
	return nil
}

// Resources returns the resources in force.
func (a *App) Resources() *stillcast.Resources { return a.resources.Load() }

func (a *App) template(p stillcast.Push) (stillcast.SnapshotTemplate, bool) {
	return a.resources.Load().SnapshotTemplate(p.Domain, p.Stream)
}

// plans returns how a push is to be captured now.
func (a *App) plans(p stillcast.Push) []capture.Plan {
	plans := a.tasks.plans(p)
	if t, ok := a.template(p); ok {
		plans = append(plans, capture.Plan{Template: t})
	}
	return plans
}

// settings gives the notifier the callback templates in force.
type settings struct{ app *App }

// CallbackTemplateByID returns the template as it is now.
func (s settings) CallbackTemplateByID(id int64) (stillcast.CallbackTemplate, bool) {
	return s.app.resources.Load().CallbackTemplateByID(id)
}
