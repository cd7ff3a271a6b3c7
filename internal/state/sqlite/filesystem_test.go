package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

func TestNetworkFileSystems(t *testing.T) {
	for is, want := range map[fileSystem]string{
		{magic: 0x6969}: "NFS", {magic: 0xff534d42}: "SMB", {magic: 0xfe534d42}: "SMB", {magic: 0x517b}: "SMB",
		{magic: 0xc36400}: "Ceph", {magic: 0x01021997}: "9P", {magic: 0x5346414f}: "AFS", {magic: 0x0bd00bd0}: "Lustre",
		{magic: 0x65735546, kind: "fuse.sshfs"}: "FUSE (sshfs)", {magic: 0x65735546, kind: "fuse.glusterfs"}: "FUSE (glusterfs)",
		// Local ones: ext4, XFS, Btrfs, tmpfs, overlay; and FUSE that is.
		{magic: 0xef53}: "", {magic: 0x58465342}: "", {magic: 0x9123683e}: "", {magic: 0x01021994}: "", {magic: 0x794c7630}: "",
		{magic: 0x65735546, kind: "fuse.gocryptfs"}: "", {magic: 0x65735546, kind: "fuseblk"}: "", {magic: 0x65735546}: "",
	} {
		if got := networkFileSystem(is); got != want {
			t.Errorf("%#x %q is %q, want %q", is.magic, is.kind, got, want)
		}
		path := filepath.Join(t.TempDir(), "state.db")
		tuned := defaultTuning()
		tuned.fileSystem = func(string) (fileSystem, error) { return is, nil }
		if want == "" {
			openStore(t, path, prometheus.NewRegistry(), tuned)
			continue
		}
		_, err := openTuned(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry(), tuned)
		if stillcast.CodeOf(err) != stillcast.CodeInvalid || !strings.Contains(err.Error(), "data_dir: data folder "+filepath.Dir(path)+" is on "+want+";") {
			t.Errorf("a folder on %s gave %v", want, err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 0 {
			t.Errorf("the refused folder holds %v, %v", entries, err)
		}
	}
}

func TestMountType(t *testing.T) {
	const device = "0:52"
	for line, want := range map[string]string{
		"36 35 0:52 / /mnt/far rw,noatime shared:7 master:1 - fuse.sshfs me@far:/ rw,user_id=0": "fuse.sshfs",
		"36 35 0:52 / /mnt/a\\040b rw - fuse.glusterfs server:/volume rw":                       "fuse.glusterfs",
		"36 35 0:53 / /mnt rw - ext4 /dev/vda rw":                                               "",
		"36 35 0:52": "",
		"":           "",
	} {
		if got, ok := mountType(line, device); got != want || ok != (want != "") {
			t.Errorf("%q is of the type %q, %t; want %q", line, got, ok, want)
		}
	}
	is, err := lookUpFileSystem(t.TempDir())
	check(t, err)
	if is.magic == 0 || networkFileSystem(is) != "" {
		t.Errorf("the folder for tests is on %+v", is)
	}
}
