// Drives a server with the official client of Tencent Cloud for Node.js: node drive.mjs HOST:PORT ID KEY.
// Each resource is created, described, modified and deleted, in each way in which the client can sign.
import assert from "node:assert/strict"
import services from "tencentcloud-sdk-nodejs/tencentcloud/services/live/index.js"

const [endpoint, secretId, secretKey] = process.argv.slice(-3)
const DomainName = "sdk.example.com"
const bucket = { CosAppId: 1250000000, CosBucket: "shots", CosRegion: "ap-guangzhou" }
const time = (seconds) => new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+Z/, "Z")
const unix = (seconds) => Math.floor(Date.now() / 1000) + seconds

async function refused(code, call) {
  await assert.rejects(call, (e) => {
    assert.equal(e.code, code, `${e.code}: ${e.message}`)
    assert.ok(e.message && e.requestId)
    return true
  })
}

async function domains(c) {
  await c.AddLiveDomain({ DomainName, DomainType: 0 })
  await refused("FailedOperation.DomainAdded", c.AddLiveDomain({ DomainName, DomainType: 0 }))
  await c.ModifyLivePushAuthKey({ DomainName, Enable: 1, MasterAuthKey: "master", BackupAuthKey: "backup", AuthDelta: 60 })
  const { PushAuthKeyInfo: key } = await c.DescribeLivePushAuthKey({ DomainName })
  assert.deepEqual(key, { DomainName, Enable: 1, MasterAuthKey: "master", BackupAuthKey: "backup", AuthDelta: 60 })
  await c.ForbidLiveDomain({ DomainName })
  assert.equal((await c.DescribeLiveDomain({ DomainName })).DomainInfo.Status, 0)
  await c.EnableLiveDomain({ DomainName })
  const list = await c.DescribeLiveDomains({ PageSize: 100 })
  assert.equal(list.DomainList.find((d) => d.Name === DomainName).Status, 1)
  assert.ok((await c.AuthenticateDomainOwner({ DomainName, VerifyType: "dbCheck" })).Status >= 0)
}

async function snapshots(c) {
  const { TemplateId } = await c.CreateLiveSnapshotTemplate({ TemplateName: "sdk", SnapshotInterval: 5, Width: 640, Description: "测试 & more", ...bucket })
  assert.equal(typeof TemplateId, "number")
  await c.ModifyLiveSnapshotTemplate({ TemplateId, SnapshotInterval: 4, ...bucket })
  const { Template: t } = await c.DescribeLiveSnapshotTemplate({ TemplateId })
  assert.deepEqual([t.SnapshotInterval, t.Width, t.Height, t.Description, t.CosPrefix], [4, 640, 0, "测试 & more", ""])
  assert.ok((await c.DescribeLiveSnapshotTemplates({})).Templates.length > 0)
  const rule = { DomainName, AppName: "live" }
  await c.CreateLiveSnapshotRule({ TemplateId, ...rule })
  await refused("FailedOperation.RuleAlreadyExist", c.CreateLiveSnapshotRule({ TemplateId, ...rule }))
  assert.ok((await c.DescribeLiveSnapshotRules({})).Rules.some((r) => r.DomainName === DomainName && r.AppName === "live" && r.StreamName === ""))
  await refused("FailedOperation.ConfInUsed", c.DeleteLiveSnapshotTemplate({ TemplateId }))
  await c.DeleteLiveSnapshotRule(rule)
  await c.DeleteLiveSnapshotTemplate({ TemplateId })
  await refused("FailedOperation.NotFound", c.DescribeLiveSnapshotTemplate({ TemplateId }))
}

async function callbacks(c) {
  const SnapshotNotifyUrl = "https://a.example.com/?a=b&c=d"
  const { TemplateId } = await c.CreateLiveCallbackTemplate({ TemplateName: "sdk", SnapshotNotifyUrl, CallbackKey: "key", RecordExceptionLevels: ["error", "info"] })
  await c.ModifyLiveCallbackTemplate({ TemplateId, StreamBeginNotifyUrl: "https://b.example.com/" })
  const { Template: t } = await c.DescribeLiveCallbackTemplate({ TemplateId })
  assert.deepEqual([t.SnapshotNotifyUrl, t.StreamBeginNotifyUrl, t.CallbackKey, t.RecordExceptionLevels],
    [SnapshotNotifyUrl, "https://b.example.com/", "key", ["error", "info"]])
  assert.ok((await c.DescribeLiveCallbackTemplates({})).Templates.length > 0)
  await c.CreateLiveCallbackRule({ DomainName, AppName: "live", TemplateId })
  assert.ok((await c.DescribeLiveCallbackRules({})).Rules.some((r) => r.DomainName === DomainName && r.TemplateId === TemplateId))
  await refused("FailedOperation.ConfInUsed", c.DeleteLiveCallbackTemplate({ TemplateId }))
  await c.DeleteLiveCallbackRule({ DomainName, AppName: "live" })
  await c.DeleteLiveCallbackTemplate({ TemplateId })
  const records = await c.DescribeCallbackRecordsList({ StartTime: time(-3600), EndTime: time(0), StreamName: "sdk-none", PageNum: 1, PageSize: 10 })
  assert.equal(records.TotalNum, 0)
}

async function tasks(c) {
  const EndTime = unix(600)
  const { TaskId } = await c.CreateScreenshotTask({ DomainName, AppName: "live", StreamName: "sdk", EndTime, TemplateId: 2 ** 40 })
  await c.StopScreenshotTask({ TaskId })
  const { TaskList } = await c.DescribeScreenshotTask({ StartTime: unix(-3600), EndTime: unix(3600), StreamName: "sdk" })
  const task = TaskList.find((t) => t.TaskId === TaskId)
  assert.ok(task.Stopped > 0 && task.EndTime === EndTime)
  await c.DeleteScreenshotTask({ TaskId })
  await refused("InvalidParameter", c.DeleteScreenshotTask({ TaskId }))
  const numbers = await c.DescribeScreenShotSheetNumList({ StartTime: time(-48 * 3600), EndTime: time(0), PushDomains: [DomainName] })
  assert.ok(numbers.DataInfoList.length >= 2)
}

async function streams(c) {
  const stream = { DomainName, AppName: "live", StreamName: "s&1 ä" }
  const state = async () => (await c.DescribeLiveStreamState(stream)).StreamState
  assert.equal(await state(), "inactive")
  await c.DropLiveStream(stream)
  await c.ForbidLiveStream({ ...stream, Reason: "because" })
  assert.equal(await state(), "forbid")
  await c.ResumeLiveStream(stream)
  assert.equal(await state(), "inactive")
  const window = { DomainName, StartTime: time(-3600), EndTime: time(0) }
  assert.equal((await c.DescribeLiveStreamOnlineList({ DomainName })).TotalNum, 0)
  assert.equal((await c.DescribeLiveStreamPublishedList(window)).TotalNum, 0)
  assert.equal((await c.DescribeLiveStreamEventList(window)).TotalNum, 0)
}

async function wrongInput(c) {
  await refused("MissingParameter", c.CreateLiveSnapshotTemplate({ ...bucket }))
  await refused("InvalidParameterValue", c.CreateLiveSnapshotTemplate({ TemplateName: "wrong", SnapshotInterval: 301, ...bucket }))
  await refused("InvalidParameter.COSCustomFileNameError", c.CreateLiveSnapshotTemplate({ TemplateName: "wrong", CosFileName: "a b", ...bucket }))
  await refused("UnsupportedOperation", c.DescribeLivePullStreamTasks({}))
  await refused("InvalidAction", c.DescribeLiveCerts({}))
}

async function cleanUp(c) {
  await c.DeleteLiveDomain({ DomainName, DomainType: 0 })
  await refused("InternalError.DomainNotExist", c.DescribeLiveDomain({ DomainName }))
}

for (const signMethod of ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]) {
  for (const reqMethod of ["POST", "GET"]) {
    const client = new services.live.v20180801.Client({
      credential: { secretId, secretKey }, region: "",
      profile: { signMethod, httpProfile: { endpoint, protocol: "http://", reqMethod } },
    })
    try {
      for (const part of [domains, snapshots, callbacks, tasks, streams, wrongInput, cleanUp]) await part(client)
    } catch (e) {
      console.error(signMethod, reqMethod, e)
      process.exit(1)
    }
  }
}
