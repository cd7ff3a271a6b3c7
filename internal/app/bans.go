package app

import (
	"context"
	"fmt"
)

// reloadBans reads the bans anew, refuses the pushes that they forbid and ends the
// live ones.
func (a *App) reloadBans(ctx context.Context) error {
	a.banning.Lock()
	defer a.banning.Unlock()
	bans, err := a.state.Bans(ctx)
	if err != nil {
		return fmt.Errorf("read the bans: %w", err)
	}
	a.gate.SetBans(bans)
	return nil
}
