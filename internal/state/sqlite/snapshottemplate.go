package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// EditSnapshotTemplate changes a snapshot template in one transaction and
// returns it as it was and as it is. With the id 0 it makes one, from nothing;
// before is zero then. edit gets a copy; ID is not edit's to change. It is called
// at most once, on the goroutine of the writer, for which every change of the
// state waits: it must not block, nor call the store.
//
// An error of edit, or a [stillcast.Error] of CodeInvalid (what edit made is not
// allowed), CodeNotFound, CodeConflict (another one has the name) or CodeLimit
// (a new one, and there are limit of them; 0 is no limit) means that nothing was
// changed.
func (s *Store) EditSnapshotTemplate(
	ctx context.Context, id int64, limit int, edit func(*stillcast.SnapshotTemplate) error,
) (before, after stillcast.SnapshotTemplate, err error) {
	return snapshotTemplates().edit(ctx, s, id, limit, edit)
}

// DeleteSnapshotTemplate deletes a snapshot template and returns it. Errors are
// of type [stillcast.Error]: CodeNotFound, and CodeConflict while a rule uses it.
// Tasks do not keep it: they capture nothing from then on.
func (s *Store) DeleteSnapshotTemplate(ctx context.Context, id int64) (stillcast.SnapshotTemplate, error) {
	return snapshotTemplates().remove(ctx, s, id)
}

func snapshotTemplates() templates[stillcast.SnapshotTemplate] {
	return templates[stillcast.SnapshotTemplate]{
		kind: state.SnapshotKind, table: "snapshot_template", columns: snapshotTemplateColumns, rules: "snapshot_rule",
		scan:     scanSnapshotTemplate,
		validate: stillcast.SnapshotTemplate.Validate,
		id:       func(v *stillcast.SnapshotTemplate) *int64 { return &v.ID },
		name:     func(v stillcast.SnapshotTemplate) string { return v.Name },
		save:     (*tx).saveSnapshotTemplate,
	}
}

func (t *tx) saveSnapshotTemplate(v stillcast.SnapshotTemplate) (int64, error) {
	pictures, err := marshalPictures(v)
	if err != nil {
		return 0, err
	}
	values := []any{
		v.Name, v.Description, int64(v.Interval), v.Width, v.Height, v.Bucket, v.AppID, v.Region,
		v.Prefix, v.FileName, v.Quality, pictures, v.PornFlag,
	}
	if v.ID == 0 {
		_, err := t.one(`INSERT INTO snapshot_template (name, description, interval_ns, width, height, bucket, app_id, region,
			prefix, file_name, quality, pictures, porn_flag) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, values, &v.ID)
		return v.ID, err
	}
	_, err = t.exec(`UPDATE snapshot_template SET name = ?, description = ?, interval_ns = ?, width = ?, height = ?, bucket = ?,
		app_id = ?, region = ?, prefix = ?, file_name = ?, quality = ?, pictures = ?, porn_flag = ? WHERE id = ?`, append(values, v.ID)...)
	return v.ID, err
}
