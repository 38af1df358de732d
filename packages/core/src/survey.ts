/** One question of a survey. `rating` asks for a whole number from `minimum` to `maximum`. */
export interface SurveyQuestion {
  readonly id: string;
  readonly text: string;
  readonly type: "rating" | "choice" | "text";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly { readonly id: string; readonly title: string }[];
  readonly isRequired?: boolean;
}

/** A survey that the vendor offers to the user. */
export interface Survey {
  readonly id: string;
  readonly questions: readonly SurveyQuestion[];
  /** Until when answers are taken, in Unix milliseconds. */
  readonly openUntilMs?: number;
}

/** The user's answers, by question id. */
export interface SurveyAnswers {
  readonly survey: string;
  readonly answers: Readonly<Record<string, string | number>>;
}
