package testkit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// MakeFile encodes a source into a file and returns its path. format is both
// ffmpeg's name of the container and the ending: "flv", "mp4", "h264". The file
// is kept in a folder for temporary files under a name made of everything that
// decides its bytes, so that a run makes each file once, whichever package asks
// for it first; do not change it.
func MakeFile(t testing.TB, format string, source Source, encoding Encoding) string {
	t.Helper()
	if encoding.Duration <= 0 {
		t.Fatal("a file needs a duration")
	}
	args := source.inputs(encoding)
	args = append(args, encodingArgs(source, encoding)...)
	// Nothing that differs from run to run may get into the file.
	args = append(args, "-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", format)
	path, err := keep(t, format, func(half string) error {
		_, err := runFFmpeg(t, append(args, half)...)
		return err
	}, args)
	if err != nil {
		t.Fatalf("making a %s file: %v", format, err)
	}
	return path
}

// keep makes a file unless an earlier call did. It is known by ffmpeg's version and by what else decides its bytes.
// It appears whole or not at all: several test programs may ask at once.
func keep(t testing.TB, ending string, write func(path string) error, decides ...any) (string, error) {
	t.Helper()
	tool, err := toolIdentity("ffmpeg")
	if err != nil {
		return "", err
	}
	// One folder for each user: another's could not be written.
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("stillcast-testkit-%d", os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of kept files: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", tool, decides))
	path := filepath.Join(folder, fmt.Sprintf("%x.%s", sum[:12], ending))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("look for a kept file: %w", err)
	}
	half := filepath.Join(t.TempDir(), "half."+ending)
	if err := write(half); err != nil {
		return "", err
	}
	return path, moveFile(half, path)
}

// moveFile copies beside the new name first, since the folders may lie on different disks.
func moveFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read the new file: %w", err)
	}
	beside, err := os.CreateTemp(filepath.Dir(to), "half-*")
	if err != nil {
		return fmt.Errorf("make the kept file: %w", err)
	}
	_, err = beside.Write(data)
	if err := errors.Join(err, beside.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the kept file: %w", err), os.Remove(beside.Name()))
	}
	if err := os.Rename(beside.Name(), to); err != nil {
		return fmt.Errorf("name the kept file: %w", err)
	}
	return nil
}

// toolIdentity changes when the program is another one: its files may differ then.
func toolIdentity(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find %s (scripts/setup.sh test installs it): %w", name, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", name, err)
	}
	return fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano()), nil
}

// runFFmpeg runs ffmpeg to its end and returns what it wrote to standard output.
func runFFmpeg(t testing.TB, args ...string) ([]byte, error) {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(ffmpegQuiet(), args...)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w\n%s", cmd, err, said.String())
	}
	return out.Bytes(), nil
}
