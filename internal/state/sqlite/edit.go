package sqlite

import (
	"context"
	"strings"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// templates is how the templates of one kind are kept.
type templates[T any] struct {
	kind           state.TemplateKind
	table, columns string
	rules          string // table of the rules that use them
	scan           func(scan) (T, error)
	validate       func(T) error
	id             func(*T) *int64
	name           func(T) string
	save           func(*tx, T) (int64, error) // makes the row, with the id 0, or changes it; returns its id
}

// now is the time as the tables keep it.
func now() time.Time { return fromMicros(micros(time.Now())) }

// words is the name of a table as people write it.
func words(table string) string { return strings.ReplaceAll(table, "_", " ") }

// edit is EditSnapshotTemplate and EditCallbackTemplate.
func (k templates[T]) edit(ctx context.Context, s *Store, id int64, limit int, edit func(*T) error) (before, after T, err error) {
	err = s.change(ctx, "edit "+words(k.table), func(t *tx) error {
		if id == 0 {
			err = t.room(k.table, limit)
		} else {
			before, err = k.byID(t, id)
		}
		if err != nil {
			return err
		}
		after = before
		if err := edit(&after); err != nil {
			return err
		}
		*k.id(&after) = id
		if err := k.validate(after); err != nil {
			return err
		}
		if err := k.nameIsFree(t, after); err != nil {
			return err
		}
		*k.id(&after), err = k.save(t, after)
		return err
	})
	if err != nil {
		var zero T
		return zero, zero, err
	}
	return before, after, nil
}

// remove is DeleteSnapshotTemplate and DeleteCallbackTemplate.
func (k templates[T]) remove(ctx context.Context, s *Store, id int64) (deleted T, err error) {
	err = s.change(ctx, "delete "+words(k.table), func(t *tx) error {
		if deleted, err = k.byID(t, id); err != nil {
			return err
		}
		var users int
		if _, err := t.one("SELECT count(*) FROM "+k.rules+" WHERE template = ?", []any{id}, &users); err != nil {
			return err
		}
		if users > 0 {
			return state.TemplateUsed(k.kind, k.name(deleted), users)
		}
		_, err := t.exec("DELETE FROM "+k.table+" WHERE id = ?", id)
		return err
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return deleted, nil
}

func (k templates[T]) byID(t *tx, id int64) (T, error) {
	v, ok, err := first(t, "SELECT "+k.columns+" FROM "+k.table+" WHERE id = ?", []any{id}, k.scan)
	if err == nil && !ok {
		err = state.NoTemplate("id", k.kind, id)
	}
	return v, err
}

func (k templates[T]) nameIsFree(t *tx, v T) error {
	var other int64
	taken, err := t.one("SELECT id FROM "+k.table+" WHERE name = ? AND id <> ?", []any{k.name(v), *k.id(&v)}, &other)
	if err == nil && taken {
		return state.TemplateNameTaken(k.kind, k.name(v), other)
	}
	return err
}

// first returns the first row that a query gives, if it gives one.
func first[T any](t *tx, query string, args []any, scanRow func(scan) (T, error)) (v T, ok bool, err error) {
	err = t.query(query, args, func(scan scan) error {
		if ok {
			return nil
		}
		ok = true
		var err error
		v, err = scanRow(scan)
		return err
	})
	return v, ok && err == nil, err
}
