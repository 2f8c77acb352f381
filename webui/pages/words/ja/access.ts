import type { Words } from "../words.ts";

export const access: Words["access"] = {
  signIn: "ログイン",
  name: "ユーザー名",
  password: "パスワード",
  passwordHint: "10 文字以上 256 文字以下。ユーザー名と同じものは使えません。",
  claimTitle: "この装置は未登録です",
  claimLead:
    "装置のコンソールに表示されているコードを入力して登録します。装置上の futago web コマンドでも確認できます。",
  code: "コンソールのコード",
  yourName: "ユーザー名",
  newPassword: "新しいパスワード",
  claim: "この装置を登録",
  claimNote: "登録したユーザーが最初の管理者になります。初期パスワードはありません。",
  resuming: "セッションを引き継いでいます…",
  sessionEnded:
    "セッションが終了しました。他の画面で終了されたか、長時間操作がなかったか、ペアリングなどでアカウントが入れ替わりました。",
  noBox: "装置がまだ応答しません。",
};
