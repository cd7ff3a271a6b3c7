package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast"
)

// fileSystem is what a folder is on.
type fileSystem struct {
	magic uint32 // of statfs(2)
	kind  string // of FUSE: as it is mounted, "fuse.sshfs" for instance
}

// lookUpFileSystem asks the kernel.
func lookUpFileSystem(folder string) (fileSystem, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return fileSystem{}, fmt.Errorf("look up the file system of data folder %s: %w", folder, err)
	}
	is := fileSystem{magic: uint32(stat.Type)} //nolint:gosec // magic numbers have 32 bits
	if is.magic == unix.FUSE_SUPER_MAGIC {
		is.kind = mountedAs(folder)
	}
	return is, nil
}

// mountedAs returns the type of the mount that folder is on, "" when it cannot
// be found.
func mountedAs(folder string) string {
	var stat unix.Stat_t
	if err := unix.Stat(folder, &stat); err != nil {
		return ""
	}
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }() // only read
	device := fmt.Sprintf("%d:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev))
	kind := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if k, ok := mountType(lines.Text(), device); ok {
			kind = k
		}
	}
	return kind
}

// mountType reads one line of mountinfo (proc_pid_mountinfo(5)): its third word
// is the device, the first one after the lone dash the type.
func mountType(line, device string) (string, bool) {
	mount, of, ok := strings.Cut(line, " - ")
	words := strings.Fields(mount)
	if !ok || len(words) < 3 || words[2] != device {
		return "", false
	}
	kind, _, _ := strings.Cut(of, " ")
	return kind, true
}

// refuseNetwork refuses folders on file systems over a network or shared with
// another machine, where neither the lock nor SQLite's shared memory holds
// between machines (sqlite.org/wal.html).
func refuseNetwork(folder string, is fileSystem) error {
	name := networkFileSystem(is)
	if name == "" {
		return nil
	}
	return stillcast.Errorf(stillcast.CodeInvalid, "data_dir",
		"data folder %s is on %s; a data folder must be on a local disk, since locks do not hold between machines", folder, name)
}

// networkFileSystem names the file system if it is one over a network, else "".
func networkFileSystem(is fileSystem) string {
	if is.magic == unix.FUSE_SUPER_MAGIC {
		return networkFuse(is.kind)
	}
	switch is.magic {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.V9FS_MAGIC:
		return "9P"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.NCP_SUPER_MAGIC:
		return "NCP"
	case unix.OCFS2_SUPER_MAGIC:
		return "OCFS2"
	}
	return otherNetworkFileSystem(is.magic)
}

// otherNetworkFileSystem knows those that the kernel's headers do not name, by
// the list of stat(1) in GNU coreutils.
func otherNetworkFileSystem(magic uint32) string {
	switch magic {
	case 0x01161970:
		return "GFS2"
	case 0x0bd00bd0:
		return "Lustre"
	case 0x47504653:
		return "GPFS"
	case 0x19830326:
		return "BeeGFS"
	case 0xaad7aaea:
		return "PanFS"
	case 0x786f4256:
		return "a folder shared by VirtualBox"
	case 0xbacbacbc:
		return "a folder shared by VMware"
	case 0x7c7c6673:
		return "a folder shared by Parallels"
	}
	return ""
}

// networkFuse names a FUSE mount if it is one over a network. Others are local:
// encryption, unions of folders, NTFS.
func networkFuse(kind string) string {
	_, program, _ := strings.Cut(kind, "fuse.")
	switch program {
	case "sshfs", "glusterfs", "ceph-fuse", "ceph", "juicefs", "moosefs", "mfs", "lizardfs", "saunafs", "seaweedfs", "weed", "cvmfs2",
		"s3fs", "mount-s3", "goofys", "geesefs", "rclone", "gcsfuse", "blobfuse", "blobfuse2", "ossfs", "cosfs", "obsfs",
		"davfs", "davfs2", "curlftpfs", "smbnetfs", "hdfs", "fuse_dfs", "nfs", "fuse-nfs", "afuse", "xtreemfs", "vmhgfs-fuse":
		return "FUSE (" + program + ")"
	}
	return ""
}
