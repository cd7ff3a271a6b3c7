package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// EditDomain changes a domain in one transaction and returns it as it was and as
// it is. With create it makes one, from nothing but the name; before is zero
// then. edit gets a copy; ID, Created and Name are not edit's to change. It is
// called at most once, on the goroutine of the writer, for which every change of
// the state waits: it must not block, nor call the store.
//
// An error of edit, or a [stillcast.Error] of CodeInvalid (what edit made is not
// allowed), CodeNotFound, CodeConflict (create, and it exists) or CodeLimit
// (create, and there are limit domains; 0 is no limit) means that nothing was
// changed.
func (s *Store) EditDomain(
	ctx context.Context, name string, create bool, limit int, edit func(*stillcast.Domain) error,
) (before, after stillcast.Domain, err error) {
	err = s.change(ctx, "edit domain", func(t *tx) error {
		old, exists, err := t.domain(name)
		switch {
		case err != nil:
			return err
		case create && exists:
			return state.DomainExists(name)
		case !create && !exists:
			return state.NoDomain("name", name)
		}
		if create {
			if err := t.room("domain", limit); err != nil {
				return err
			}
			old = stillcast.Domain{Created: now()}
		}
		before, after = old, old
		after.Name = name
		if err := edit(&after); err != nil {
			return err
		}
		if after.Name != name {
			return stillcast.Errorf(stillcast.CodeInvalid, "name", "is %q; domain %q cannot get another name", after.Name, name)
		}
		after.ID, after.Created = old.ID, old.Created
		if err := after.Validate(); err != nil {
			return err
		}
		after.ID, err = t.saveDomain(after)
		return err
	})
	if err != nil {
		return stillcast.Domain{}, stillcast.Domain{}, err
	}
	if create {
		before = stillcast.Domain{}
	}
	return before, after, nil
}

// DeleteDomain deletes a domain and returns it. Errors are of type
// [stillcast.Error]: CodeNotFound, and CodeConflict while rules name it.
func (s *Store) DeleteDomain(ctx context.Context, name string) (stillcast.Domain, error) {
	var deleted stillcast.Domain
	err := s.change(ctx, "delete domain", func(t *tx) error {
		d, exists, err := t.domain(name)
		if err != nil {
			return err
		}
		if !exists {
			return state.NoDomain("name", name)
		}
		var snapshot, callback int
		_, err = t.one(`SELECT (SELECT count(*) FROM snapshot_rule WHERE domain = ?1), (SELECT count(*) FROM callback_rule WHERE domain = ?1)`,
			[]any{name}, &snapshot, &callback)
		if err != nil {
			return err
		}
		if snapshot+callback > 0 {
			return state.DomainUsed(name, snapshot, callback)
		}
		deleted = d
		_, err = t.exec("DELETE FROM domain WHERE id = ?", d.ID)
		return err
	})
	if err != nil {
		return stillcast.Domain{}, err
	}
	return deleted, nil
}

func (t *tx) domain(name string) (stillcast.Domain, bool, error) {
	return first(t, "SELECT "+domainColumns+" FROM domain WHERE name = ?", []any{name}, scanDomain)
}

// saveDomain makes the row of a domain, whose ID is 0 then, or changes it, and
// returns its id. Created never changes.
func (t *tx) saveDomain(d stillcast.Domain) (int64, error) {
	values := []any{
		d.Name, d.Auth.Disabled, d.Auth.Key.Reveal(), d.Auth.BackupKey.Reveal(), int64(d.Auth.Delta),
		d.Disabled, d.PlayType, d.DelayLive, d.MiniProgram,
	}
	if d.ID == 0 {
		_, err := t.one(`INSERT INTO domain (name, auth_disabled, auth_key, backup_key, delta_ns, disabled, play_type, delay_live,
			mini_program, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, append(values, micros(d.Created)), &d.ID)
		return d.ID, err
	}
	_, err := t.exec(`UPDATE domain SET name = ?, auth_disabled = ?, auth_key = ?, backup_key = ?, delta_ns = ?, disabled = ?,
		play_type = ?, delay_live = ?, mini_program = ? WHERE id = ?`, append(values, d.ID)...)
	return d.ID, err
}

// room returns a CodeLimit error if a table holds as many rows as are allowed; 0
// is no limit.
func (t *tx) room(table string, limit int) error {
	if limit == 0 {
		return nil
	}
	var rows int
	if _, err := t.one("SELECT count(*) FROM "+table, nil, &rows); err != nil {
		return err
	}
	if rows >= limit {
		return stillcast.Errorf(stillcast.CodeLimit, "", "there are %d %ss already; at most %d are allowed", rows, words(table), limit)
	}
	return nil
}
