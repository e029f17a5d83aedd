"""The results of the votes in the tab Leaderboard, as HTML and charts; no Gradio and no database.

names      contestants with their labels and colours
intro      how many votes there are, which count, and the advantage of the left side
ratings    ratings with intervals, as a plot and as a table
apart      which two differ clearly, and how many more votes the others need
equal      still preferred when equally easy?
matrix     who beat whom
timeline   votes over time
agreement  whether the votes agree with grade, topic similarity and judge
mirror     whether votes are mirrored, and how old the mirror is
downloads  votes as files, without private texts
"""
