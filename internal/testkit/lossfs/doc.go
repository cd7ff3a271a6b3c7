// Package lossfs is a file system for tests that forgets, when its power is cut,
// what nobody had made durable; and that is full when a test says so.
//
// It is a FUSE file system in memory, in a process of its own, with two versions
// of everything: as programs see it, and as it stands on the disk. fsync brings
// the content of a file to the disk, and fsync of a folder the names in it; nothing
// else does, as POSIX has it. A name that was not synced is lost even when the
// content of its file was. [Disk.Cut] throws away what programs saw and goes on
// with what the disk has. With a random number of its own, a part of what was not
// synced survives besides: sectors of 512 bytes of any write, in any order, as a
// disk with a cache leaves them, and the first of the changes of names, as a
// journal of a file system does.
//
// What it does not have: reading back something else than was written, times,
// owners and modes that are lost, a disk that says that it synced and did not.
//
// It needs /dev/fuse, and the right to mount or fusermount3.
package lossfs
