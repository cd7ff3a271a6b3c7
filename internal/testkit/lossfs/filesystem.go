package lossfs

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// valid is how long the kernel may keep what it was told: nobody else changes it.
const valid = time.Hour

// fileSystem answers the kernel for a disk.
type fileSystem struct {
	fuse.RawFileSystem // what is not here is answered with ENOSYS

	disk   *disk
	lists  map[uint64][]fuse.DirEntry // of folders that are being read, by handle
	handle uint64
}

func newFileSystem(d *disk) *fileSystem {
	return &fileSystem{RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d, lists: map[uint64][]fuse.DirEntry{}}
}

// String implements [fuse.RawFileSystem].
func (*fileSystem) String() string { return "lossfs" }

func (n *node) describe(out *fuse.Attr) {
	out.Ino, out.Mode, out.Owner, out.Nlink = n.number, n.mode, n.owner, uint32(n.links) //nolint:gosec // few
	out.Size, out.Blksize = uint64(len(n.content)), 4096
	out.Blocks = (out.Size + sector - 1) / sector
	out.SetTimes(&n.modified, &n.modified, &n.modified)
}

func (n *node) enter(out *fuse.EntryOut) {
	out.NodeId, out.Generation = n.number, 1
	out.SetEntryTimeout(valid)
	out.SetAttrTimeout(valid)
	n.describe(&out.Attr)
}

// Lookup implements [fuse.RawFileSystem].
func (f *fileSystem) Lookup(_ <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	folder := f.disk.nodes[header.NodeId]
	if folder == nil || folder.names[name] == nil {
		return fuse.ENOENT
	}
	folder.names[name].enter(out)
	return fuse.OK
}

// GetAttr implements [fuse.RawFileSystem].
func (f *fileSystem) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := f.disk.nodes[in.NodeId]
	if n == nil {
		return fuse.ENOENT
	}
	n.describe(&out.Attr)
	return fuse.OK
}

// SetAttr implements [fuse.RawFileSystem].
func (f *fileSystem) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := f.disk.nodes[in.NodeId]
	if n == nil {
		return fuse.ENOENT
	}
	if size, ok := in.GetSize(); ok {
		if errno := f.disk.change(n, change{offset: int64(size)}); errno != 0 { //nolint:gosec // a size
			return fuse.Status(errno)
		}
	}
	if mode, ok := in.GetMode(); ok {
		n.mode = n.mode&syscall.S_IFMT | mode&^syscall.S_IFMT
	}
	if at, ok := in.GetMTime(); ok {
		n.modified = at
	}
	n.describe(&out.Attr)
	return fuse.OK
}

// make makes a file or a folder under a name.
func (f *fileSystem) make(in *fuse.InHeader, name string, mode uint32, out *fuse.EntryOut) (*node, fuse.Status) {
	folder := f.disk.nodes[in.NodeId]
	switch {
	case folder == nil:
		return nil, fuse.ENOENT
	case folder.names[name] != nil:
		return nil, fuse.Status(syscall.EEXIST)
	case !f.disk.room(1):
		return nil, fuse.Status(syscall.ENOSPC)
	}
	n := f.disk.make(mode, in.Owner)
	f.disk.name(step{folder, name, n})
	n.enter(out)
	return n, fuse.OK
}

// Mkdir implements [fuse.RawFileSystem].
func (f *fileSystem) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	_, status := f.make(&in.InHeader, name, syscall.S_IFDIR|in.Mode&^syscall.S_IFMT, out)
	return status
}

// Create implements [fuse.RawFileSystem].
func (f *fileSystem) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, status := f.make(&in.InHeader, name, syscall.S_IFREG|in.Mode&^syscall.S_IFMT, &out.EntryOut)
	if status.Ok() {
		n.opened++
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	}
	return status
}

// Open implements [fuse.RawFileSystem].
func (f *fileSystem) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := f.disk.nodes[in.NodeId]
	if n == nil {
		return fuse.ENOENT
	}
	n.opened++
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

// Release implements [fuse.RawFileSystem].
func (f *fileSystem) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if n := f.disk.nodes[in.NodeId]; n != nil {
		n.opened--
		f.disk.forget(n)
	}
}

// Read implements [fuse.RawFileSystem].
func (f *fileSystem) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := f.disk.nodes[in.NodeId]
	if n == nil {
		return nil, fuse.ENOENT
	}
	from := min(in.Offset, uint64(len(n.content)))
	return fuse.ReadResultData(buf[:copy(buf, n.content[from:])]), fuse.OK
}

// Write implements [fuse.RawFileSystem].
func (f *fileSystem) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := f.disk.nodes[in.NodeId]
	if n == nil {
		return 0, fuse.ENOENT
	}
	c := change{int64(in.Offset), append(make([]byte, 0, len(data)), data...)} //nolint:gosec // an offset
	return uint32(len(data)), fuse.Status(f.disk.change(n, c))                 //nolint:gosec // as the kernel gave it
}

// Flush implements [fuse.RawFileSystem]. It is called when a file is closed, which
// brings nothing to a disk.
func (*fileSystem) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

// Fsync implements [fuse.RawFileSystem].
func (f *fileSystem) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status { return f.sync(in.NodeId) }

// FsyncDir implements [fuse.RawFileSystem].
func (f *fileSystem) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return f.sync(in.NodeId)
}

func (f *fileSystem) sync(number uint64) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := f.disk.nodes[number]
	if n == nil {
		return fuse.ENOENT
	}
	f.disk.sync(n)
	return fuse.OK
}

// Unlink implements [fuse.RawFileSystem].
func (f *fileSystem) Unlink(_ <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return f.remove(header.NodeId, name)
}

// Rmdir implements [fuse.RawFileSystem].
func (f *fileSystem) Rmdir(_ <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return f.remove(header.NodeId, name)
}

func (f *fileSystem) remove(number uint64, name string) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	folder := f.disk.nodes[number]
	if folder == nil || folder.names[name] == nil {
		return fuse.ENOENT
	}
	if len(folder.names[name].names) > 0 {
		return fuse.Status(syscall.ENOTEMPTY)
	}
	f.disk.name(step{folder, name, nil})
	return fuse.OK
}

// Rename implements [fuse.RawFileSystem].
func (f *fileSystem) Rename(_ <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	from, to := f.disk.nodes[in.NodeId], f.disk.nodes[in.Newdir]
	if from == nil || to == nil || from.names[oldName] == nil {
		return fuse.ENOENT
	}
	n, replaced := from.names[oldName], to.names[newName]
	switch {
	case in.Flags&unix.RENAME_NOREPLACE != 0 && replaced != nil:
		return fuse.Status(syscall.EEXIST)
	case in.Flags&^uint32(unix.RENAME_NOREPLACE) != 0:
		return fuse.EINVAL
	case replaced == n:
		return fuse.OK
	case replaced != nil && len(replaced.names) > 0:
		return fuse.Status(syscall.ENOTEMPTY)
	}
	// The new name first, so that the node is never without one.
	f.disk.name(step{to, newName, n}, step{from, oldName, nil})
	return fuse.OK
}

// Link implements [fuse.RawFileSystem].
func (f *fileSystem) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, folder := f.disk.nodes[in.Oldnodeid], f.disk.nodes[in.NodeId]
	if n == nil || folder == nil {
		return fuse.ENOENT
	}
	if folder.names[name] != nil {
		return fuse.Status(syscall.EEXIST)
	}
	f.disk.name(step{folder, name, n})
	n.enter(out)
	return fuse.OK
}

// OpenDir implements [fuse.RawFileSystem].
func (f *fileSystem) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.nodes[in.NodeId] == nil {
		return fuse.ENOENT
	}
	f.handle++
	out.Fh = f.handle
	return fuse.OK
}

// ReadDir implements [fuse.RawFileSystem]. What is read is the folder as it was at
// the begin, whatever is removed meanwhile.
func (f *fileSystem) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if in.Offset == 0 {
		f.lists[in.Fh] = f.list(in.NodeId)
	}
	list := f.lists[in.Fh]
	for _, entry := range list[min(in.Offset, uint64(len(list))):] {
		if !out.AddDirEntry(entry) {
			break
		}
	}
	return fuse.OK
}

// list is made when somebody reads it: most folders are opened to find one name.
func (f *fileSystem) list(number uint64) (all []fuse.DirEntry) {
	folder := f.disk.nodes[number]
	if folder == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(folder.names)) {
		n := folder.names[name]
		all = append(all, fuse.DirEntry{Mode: n.mode, Name: name, Ino: n.number, Off: uint64(len(all)) + 1})
	}
	return all
}

// ReleaseDir implements [fuse.RawFileSystem].
func (f *fileSystem) ReleaseDir(in *fuse.ReleaseIn) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	delete(f.lists, in.Fh)
}

// Access implements [fuse.RawFileSystem].
func (*fileSystem) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status { return fuse.OK }

// StatFs implements [fuse.RawFileSystem].
func (f *fileSystem) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	const block, unlimited = 4096, 1 << 40
	limit := f.disk.limit
	if limit == 0 {
		limit = unlimited
	}
	free := uint64(max(0, limit-f.disk.used)) / block //nolint:gosec // not negative
	*out = fuse.StatfsOut{
		Bsize: block, Frsize: block, NameLen: 255, Blocks: uint64(limit) / block, Bfree: free, Bavail: free, //nolint:gosec // not negative
	}
	return fuse.OK
}
