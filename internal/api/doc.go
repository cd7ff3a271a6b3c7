// Package api serves the control API: the actions of Tencent Cloud `live`,
// version 2018-08-01, that set up, list and change what Stillcast does, so that
// the clients written for that cloud drive Stillcast with only their endpoint
// and credentials changed.
//
//	request ─► limits ─► decode ─► signature ─► table: type, presence, range ─► action ─► reply
//
// What each action takes, gives and refuses is data in one table; see [Actions].
// Every answer has the HTTP status 200: the clients take others for a broken
// network.
package api
