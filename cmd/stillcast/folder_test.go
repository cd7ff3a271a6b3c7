package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

// lockDatabase is a program that scripts find in their way: lockdb FILE locks a
// database until it is ended.
func lockDatabase() {
	db, err := sql.Open("sqlite", os.Args[1])
	if err == nil {
		db.SetMaxOpenConns(1)
		_, err = db.Exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	fmt.Println("locked by", os.Getpid())
	<-end
}

// TestServeRefusesANetworkFileSystem: there, nothing keeps a second server out.
func TestServeRefusesANetworkFileSystem(t *testing.T) {
	disk := lossfs.Mount(t, "sshfs")
	configuration := filepath.Join(t.TempDir(), "stillcast.yaml")
	text := fmt.Sprintf("data_dir: %s/data\nlisten: {rtmp: 127.0.0.1:0, http: 127.0.0.1:0, ops: 127.0.0.1:0}\n", disk.Dir)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "stillcast", "serve", "--config", configuration)
	cmd.Env, cmd.Stderr = append(os.Environ(), noExitDelay), &said
	err := cmd.Run()
	if failure, ok := errors.AsType[*exec.ExitError](err); !ok || failure.ExitCode() != 1 {
		t.Errorf("it ended with %v, want exit code 1", err)
	}
	want := regexp.MustCompile(`(?m)^stillcast: open the state: data_dir: data folder \S+/data is on FUSE \(sshfs\); ` +
		`a data folder must be on a local disk, since locks do not hold between machines$`)
	if !want.MatchString(said.String()) {
		t.Errorf("it said %s", &said)
	}
	if left, err := filepath.Glob(filepath.Join(disk.Dir, "data", "*")); err != nil || len(left) != 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}
