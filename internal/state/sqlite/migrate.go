package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/stillcast/stillcast"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to what this program expects. Each migration is one
// transaction, so a crash leaves the tables as they were before or after it.
func migrate(ctx context.Context, db *sql.DB, logger *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithSlog(logger), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read version of the tables: %w", err)
	}
	if current > known {
		return stillcast.Errorf(stillcast.CodeConflict, "data_dir",
			"was written by a newer stillcast (tables of version %d; this program knows %d); run that one", current, known)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate tables: %w", err)
	}
	for _, m := range done {
		logger.InfoContext(ctx, "tables migrated", "version", m.Source.Version, "took", m.Duration)
	}
	return nil
}
